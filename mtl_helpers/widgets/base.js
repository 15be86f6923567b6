// What the course's widgets share: elements, controls that work by mouse and keyboard, numbers, words, requests.

const SVG = "http://www.w3.org/2000/svg";
const own = Math.random().toString(36).slice(2, 8); // each widget of a page loads this module for itself
let counter = 0;
let chosen = {}; // label -> label in the language chosen; English where there is none

export const useWords = (words) => (chosen = words ?? {});
export const t = (text, values = {}) => (chosen[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

export const uid = (word) => `mtl-${word}-${own}-${(counter += 1)}`;

function fill(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
}

// Labels only ever become text nodes and attributes, never markup: what a label holds cannot run.
export function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  fill(node, attributes);
  node.append(...children.flat().filter((each) => each !== null && each !== undefined));
  return node;
}

export function svg(tag, attributes = {}, parent = null) {
  const node = document.createElementNS(SVG, tag);
  fill(node, attributes);
  if (parent) parent.append(node);
  return node;
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
export function number(value, digits = 2) {
  const text = value.toFixed(digits);
  if (text[0] !== "-") return text;
  return Number(text) === 0 ? text.slice(1) : `−${text.slice(1)}`;
}
export const signed = (value, digits = 2) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + number(value, digits);
export const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

// Reads what pack of base.py wrote: {shape, values}.
export async function unpack(packed) {
  const deflated = Uint8Array.from(atob(packed.bytes), (letter) => letter.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = raw.length / 2;
  const values = new Float32Array(count);
  const last = packed.shape[packed.shape.length - 1];
  let running = 0;
  for (let i = 0; i < count; i += 1) {
    if (i % last === 0) running = 0;
    const step = raw[i] | (raw[i + count] << 8);
    running += step & 1 ? -((step + 1) >> 1) : step >> 1;
    values[i] = packed.low + running * packed.step;
  }
  return { shape: packed.shape, values };
}

// The widget's outer element. Colours become style variables, so that one list in Python rules all of them;
// black becomes the theme's ink, which can be seen on dark paper too.
export function frame(el, name, title, colours) {
  const root = html("section", { class: `mtl-widget mtl-${name}`, "aria-label": title, lang: Object.keys(chosen).length ? "zh" : null });
  // Or JupyterLab takes arrow keys and letters for its cells. It asks the very element that has the focus.
  root.addEventListener("focusin", (event) => (event.target.dataset.lmSuppressShortcuts = "true"));
  colours.forEach((colour, i) => root.style.setProperty(`--mtl-colour-${i}`, colour === "#000000" ? "var(--mtl-ink)" : colour));
  el.append(root);
  return root;
}

export function field(label, control) {
  return html("div", { class: "mtl-field" }, html("label", { for: control.id, text: label }), control);
}

// options: [{value, text, group}]
export function select({ label, options, value, onChange }) {
  const box = html("select", { id: uid("select"), onchange: () => onChange(box.value) });
  const groups = new Map();
  for (const each of options) {
    const option = html("option", { value: each.value, text: each.text });
    if (!each.group) box.append(option);
    else {
      if (!groups.has(each.group)) {
        groups.set(each.group, html("optgroup", { label: each.group }));
        box.append(groups.get(each.group));
      }
      groups.get(each.group).append(option);
    }
  }
  box.value = value;
  return { node: field(label, box), box };
}

// Buttons of which one (kind "radio") or several ("checkbox") are on; native inputs, so keys and names come for free.
export function choice({ label, kind = "radio", options, value, onChange }) {
  const name = uid("choice");
  const on = new Set([value].flat().map(String));
  const inputs = options.map((each) => {
    const box = html("input", { type: kind, name, id: uid("option"), value: each.value });
    box.checked = on.has(String(each.value));
    box.addEventListener("change", () => {
      const chosen = inputs.filter((other) => other.checked).map((other) => other.value);
      if (chosen.length === 0) box.checked = true; // at least one stays on
      else onChange(kind === "radio" ? chosen[0] : chosen);
    });
    return box;
  });
  const labels = options.map((each, i) => {
    const mark = each.colour === undefined ? null : html("span", { class: "mtl-swatch", style: `--c: var(--mtl-colour-${each.colour})` });
    return html("span", { class: "mtl-option" }, inputs[i], html("label", { for: inputs[i].id }, mark, each.text));
  });
  const set = html("fieldset", { class: "mtl-field mtl-choice" }, html("legend", { text: label }), html("span", { class: "mtl-options" }, labels));
  return { node: set, inputs };
}

// say(value) is what a screen reader speaks and what stands beside the slider.
export function slider({ label, low, high, step = 1, value, say, onInput }) {
  const box = html("input", { type: "range", id: uid("slider"), min: low, max: high, step });
  const out = html("output", { for: box.id });
  const show = () => {
    const words = say(Number(box.value));
    if (out.textContent !== words) {
      out.textContent = words;
      box.setAttribute("aria-valuetext", words);
      box.style.setProperty("--at", `${((box.value - low) / (high - low || 1)) * 100}%`);
    }
  };
  box.value = value;
  show();
  box.addEventListener("input", () => {
    show();
    onInput(Number(box.value));
  });
  const set = (to) => {
    box.value = to;
    show();
  };
  return { node: html("div", { class: "mtl-field mtl-slider" }, html("label", { for: box.id, text: label }), box, out), box, set };
}

export function button({ text, label = null, onPress }) {
  return html("button", { type: "button", class: "mtl-button", "aria-label": label, onclick: onPress, text });
}

// Steps through a slider's values; with reduced motion more slowly.
export function player(control, { label, onStep, onStop = () => {}, wait = 350 }) {
  let timer = null;
  const press = button({ text: "▶", label, onPress: () => (timer === null ? start() : stop()) });
  press.classList.add("mtl-play");
  press.setAttribute("aria-pressed", "false");
  function stop() {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    press.textContent = "▶";
    press.setAttribute("aria-pressed", "false");
    onStop();
  }
  function tick() {
    if (!press.isConnected || Number(control.box.value) >= Number(control.box.max)) return stop();
    control.set(Number(control.box.value) + Number(control.box.step));
    const pause = calm() ? 2 * wait : wait;
    onStep(Number(control.box.value), pause);
    timer = setTimeout(tick, pause);
    return undefined;
  }
  function start() {
    if (Number(control.box.value) >= Number(control.box.max)) {
      control.set(control.box.min);
      onStep(Number(control.box.value), 0);
    }
    press.textContent = "❚❚";
    press.setAttribute("aria-pressed", "true");
    timer = setTimeout(tick, wait);
  }
  return { node: press, stop, playing: () => timer !== null };
}

// Speaks once a hand rests: a sentence a moment would be noise.
export function speaker(root, pause = 500) {
  const node = html("div", { class: "mtl-unseen", role: "status", "aria-live": "polite" });
  let timer = null;
  root.append(node);
  return (words) => {
    clearTimeout(timer);
    timer = setTimeout(() => (node.textContent = words), pause);
  };
}

export function tip(root) {
  const node = html("div", { class: "mtl-tip", "aria-hidden": "true" });
  root.append(node);
  return {
    show(rows, box) {
      node.replaceChildren(...rows.map((text, i) => html(i ? "span" : "strong", { text })));
      node.classList.add("is-shown");
      const outer = root.getBoundingClientRect();
      const zoom = outer.width / root.offsetWidth || 1; // on a slide the widget is drawn larger
      const left = clamp((box.left + box.width / 2 - outer.left) / zoom - node.offsetWidth / 2, 0, root.offsetWidth - node.offsetWidth);
      const above = (box.top - outer.top) / zoom - node.offsetHeight - 8;
      node.style.transform = `translate(${left}px, ${above < 0 ? (box.bottom - outer.top) / zoom + 8 : above}px)`;
    },
    hide: () => node.classList.remove("is-shown"),
  };
}

// One tab stop for many items; arrow keys move within. move(item, key) gives the next item or null.
export function roving(items, move) {
  if (items.length) items[0].setAttribute("tabindex", "0");
  for (const item of items) {
    item.addEventListener("keydown", (event) => {
      const next = event.key === "Home" ? items[0] : event.key === "End" ? items[items.length - 1] : move(item, event.key);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    item.addEventListener("focus", () => {
      for (const each of items) each.setAttribute("tabindex", each === item ? "0" : "-1");
    });
  }
}

// Moves numbers from what is shown to what is wanted.
export function tween(draw) {
  let frameNumber = 0;
  return (from, to, milliseconds) => {
    cancelAnimationFrame(frameNumber);
    if (!milliseconds || calm() || !from || from.length !== to.length || document.hidden) return draw(to);
    const start = performance.now();
    const step = (now) => {
      const share = clamp((now - start) / milliseconds, 0, 1);
      draw(share === 1 ? to : to.map((value, i) => from[i] + (value - from[i]) * share));
      if (share < 1) frameNumber = requestAnimationFrame(step);
    };
    frameNumber = requestAnimationFrame(step);
    return undefined;
  };
}

// Asks the kernel; resolves to its answer. onProgress(share, text) is called while it works.
export function asker(model, patience = 60000) {
  const open = new Map();
  model.on("msg:custom", (message) => {
    const waiting = open.get(message.request);
    if (!waiting) return;
    if ("progress" in message) return void waiting.heard(message.progress, message.text);
    open.delete(message.request);
    if ("error" in message) waiting.fail(new Error(message.error));
    else waiting.done(message.answer);
  });
  return (kind, content = {}, onProgress = () => {}) =>
    new Promise((done, fail) => {
      const request = uid("request");
      let timer = null;
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          open.delete(request);
          fail(new Error(t("No answer from the kernel. Is it running, or busy?")));
        }, patience);
      };
      wait();
      open.set(request, {
        heard: (share, text) => (wait(), onProgress(share, text)),
        done: (answer) => (clearTimeout(timer), done(answer)),
        fail: (error) => (clearTimeout(timer), fail(error)),
      });
      model.send({ ...content, request, kind });
    });
}

export function progressBar() {
  const bar = html("progress", { max: 1, value: 0, "aria-label": t("progress") });
  const words = html("span", { role: "status" });
  const node = html("div", { class: "mtl-progress", hidden: true }, bar, words);
  return {
    node,
    show: (share, text = "") => ((node.hidden = false), (bar.value = share), (words.textContent = text)),
    hide: () => (node.hidden = true),
  };
}

// Calls draw(width) now and whenever the width changes.
export function onWidth(node, draw) {
  let width = 0;
  const observer = new ResizeObserver(() => {
    const now = Math.round(node.clientWidth);
    if (now && now !== width) draw((width = now));
  });
  observer.observe(node);
  if (node.clientWidth) draw((width = Math.round(node.clientWidth)));
  return () => observer.disconnect();
}
