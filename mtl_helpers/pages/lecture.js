// Turns the pages of a deck. A page is a step of a slide; the address keeps where one is.
const slides = [...document.querySelectorAll(".slide")];
const notes = document.getElementById("notes");
let here = 0;

const SMALLEST = 1; // rem
const fits = (box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1;

const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));

// A widget is drawn larger if there is room: in steps, for it lays itself out anew each time. One that is too tall scrolls.
async function fitWidget(slide) {
  const [box, view] = [slide.querySelector(".content"), slide.querySelector(".view")];
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  for (const size of [1.3, 1.2, 1.1, 1, 0.95]) {
    view.style.zoom = size * rem;
    await drawn();
    if (!slide.classList.contains("is-here") || fits(box)) return;
  }
  view.style.zoom = rem;
}

// Several models side by side are too tall for a slide: it begins with the first, the others are a tick away.
async function beginWithOne(view) {
  for (let i = 0; i < 100 && !view.querySelector(".mtl-widget"); i += 1) await drawn();
  for (const box of [...view.querySelectorAll(".mtl-gates .mtl-choice input[type=checkbox]")].slice(1)) if (box.checked) box.click();
}

// Text is as large as the page allows.
function fit(slide) {
  if (slide.matches(".is-widget")) return void fitWidget(slide);
  if (slide.matches(".is-figure")) return;
  const box = slide.querySelector(".content");
  for (let size = 1.9; size >= SMALLEST; size -= 0.05) {
    box.style.fontSize = `${size}rem`;
    if (fits(box)) return;
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
  notes.replaceChildren(template ? template.content.cloneNode(true) : "No notes for this slide.");
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
  l: () => { speak(document.documentElement.dataset.language === "zh" ? "en" : "zh"); show(here); },
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
for (const view of document.querySelectorAll(".is-widget .view")) beginWithOne(view).then(() => fit(slides[here]));
window.addEventListener("resize", () => show(here));
window.addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0));
show(Number(location.hash.slice(1)) - 1 || 0);
