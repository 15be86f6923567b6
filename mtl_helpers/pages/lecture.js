// Turns the pages of a deck. A page is a step of a slide; the address keeps where one is.
const slides = [...document.querySelectorAll(".slide")];
const notes = document.getElementById("notes");
let here = 0;

const LARGEST = 38; // twentieths of a rem
const SMALLEST = 20;
const fits = (box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1;
const frame = () => new Promise((done) => requestAnimationFrame(done));

// Waits until a widget has laid itself out: until its height stays for some frames.
async function atRest(box) {
  for (let same = 0, last = -1, i = 0; same < 4 && i < 120; i += 1) {
    await frame();
    same = box.scrollHeight === last ? same + 1 : 0;
    last = box.scrollHeight;
  }
}

// A widget is drawn larger if there is room: in steps, for it lays itself out anew each time. One that is too tall scrolls.
async function fitWidget(slide) {
  const [box, view] = [slide.querySelector(".content"), slide.querySelector(".view")];
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  await beginWithOne(slide);
  for (const size of [1.3, 1.2, 1.1, 1, 0.95, 1]) {
    if (!slide.classList.contains("is-here")) return;
    view.style.zoom = size * rem;
    await atRest(box);
    if (fits(box)) return;
  }
}

// Several models side by side are too tall for a slide: it begins with the first, the others are a tick away.
async function beginWithOne(slide) {
  for (let i = 0; i < 300 && !slide.querySelector(".mtl-widget svg"); i += 1) await frame();
  if (slide.dataset.begun === "yes") return;
  slide.dataset.begun = "yes";
  const boxes = slide.querySelectorAll(".mtl-gates .mtl-choice input[type=checkbox]");
  for (const box of [...boxes].slice(1)) if (box.checked) box.click();
}

// Text is as large as the page allows; a table that is too wide even when small breaks its lines.
function fit(slide) {
  if (slide.matches(".is-widget")) return void fitWidget(slide);
  if (slide.matches(".is-figure")) return;
  const box = slide.querySelector(".content");
  for (const breaks of [false, true]) {
    box.classList.toggle("is-broken", breaks);
    for (let size = LARGEST; size >= SMALLEST; size -= 1) {
      box.style.fontSize = `${size / 20}rem`;
      if (fits(box)) return;
    }
  }
}

function show(wanted) {
  here = Math.min(slides.length - 1, Math.max(0, wanted));
  slides.forEach((slide, i) => slide.classList.toggle("is-here", i === here));
  const slide = slides[here];
  const mine = slides.filter((each) => each.dataset.slide === slide.dataset.slide);
  document.getElementById("number").textContent = `${slide.dataset.slide} / ${slides[slides.length - 1].dataset.slide}`;
  document.getElementById("steps").replaceChildren(...(mine.length > 1 ? mine : []).map((each) => {
    const dot = document.createElement("span");
    dot.classList.toggle("is-here", each === slide);
    return dot;
  }));
  const template = document.querySelector(`template[data-slide="${slide.dataset.slide}"]`);
  notes.replaceChildren(template.content.cloneNode(true));
  fit(slide);
  history.replaceState(null, "", `#${here + 1}`);
}

const toSlide = (number) => slides.findIndex((slide) => Number(slide.dataset.slide) === number);
const moves = {
  ArrowRight: () => show(here + 1), PageDown: () => show(here + 1), " ": () => show(here + 1), Enter: () => show(here + 1),
  ArrowLeft: () => show(here - 1), PageUp: () => show(here - 1), Backspace: () => show(here - 1),
  ArrowDown: () => show(Math.max(here + 1, toSlide(Number(slides[here].dataset.slide) + 1))),
  ArrowUp: () => show(Math.max(0, toSlide(Number(slides[here].dataset.slide) - 1))),
  Home: () => show(0), End: () => show(slides.length - 1),
  n: () => { notes.hidden = !notes.hidden; show(here); },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  l: () => { changeLanguage(); show(here); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // Within a widget the keys are the widget's; a clicker's keys turn the page all the same, and Escape leads out.
  const inside = event.target.closest?.(".mtl-widget, a, summary");
  if (inside && event.key === "Escape") return void event.target.blur();
  if (inside && !["PageDown", "PageUp"].includes(event.key)) return;
  const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!move) return;
  event.preventDefault();
  move();
});
window.addEventListener("resize", () => show(here));
window.addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0));
show(Number(location.hash.slice(1)) - 1 || 0);
