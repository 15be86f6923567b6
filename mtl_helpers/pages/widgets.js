// Brings stored widgets to life, without a kernel, in English or Chinese.
const chinese = %%WORDS%%;
const waiting = [];

// Starts every widget of a kind on this page; again when the language changes.
function startWidgets(name, widget) {
  for (const place of document.querySelectorAll(`[data-widget="${name}"]`)) {
    const kept = JSON.parse(place.querySelector("script").textContent);
    const view = place.querySelector(".view");
    let end = null;
    const start = async () => {
      if (typeof end === "function") end();
      view.replaceChildren();
      const words = document.documentElement.dataset.language === "zh" ? chinese : {};
      const values = { data: { ...kept, words }, live: false };
      const host = { get: (each) => values[each], set() {}, save_changes() {}, on() {}, off() {}, send() {} };
      end = await widget.render({ model: host, el: view });
    };
    waiting.push(start);
    start();
  }
}

// The language chosen on one page is that of the next one, where the browser lets pages remember.
function remembered(language) {
  try {
    if (language) localStorage.setItem("language", language);
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

function speak(language) {
  document.documentElement.dataset.language = language;
  for (const each of document.querySelectorAll("details[lang=zh]")) each.open = language === "zh";
  for (const start of waiting) start();
}

function changeLanguage() {
  const other = document.documentElement.dataset.language === "zh" ? "en" : "zh";
  remembered(other);
  speak(other);
}

speak(remembered() ?? document.documentElement.dataset.language);
