// The focal desk: gamma and a prediction, the row's loss, and what the prediction means.

import { choice, clamp, frame, html, number, onWidth, slider, speaker, svg, t, useWords } from "./base.js";

const STEPS = 160;
const HIGHEST_LOSS = 5; // just above -log(.01), the most a slider reaches

export function focalLoss(p, happened, gamma) {
  const given = happened ? p : 1 - p;
  return -((1 - given) ** gamma) * Math.log(given);
}

// The true probability for which a prediction p makes the expected loss smallest.
export function meant(p, gamma) {
  const slope = (x) => gamma * (1 - x) ** (gamma - 1) * Math.log(x) - (1 - x) ** gamma / x;
  return slope(1 - p) / (slope(p) + slope(1 - p));
}

function render({ model: host, el }) {
  const data = host.get("data");
  useWords(data.words);
  const root = frame(el, "focal", t("Focal desk"), data.colours);
  const state = { gamma: data.gamma, p: data.p, happened: data.happened };
  const say = speaker(root);
  const label = choice({
    label: t("The row"), value: state.happened ? "1" : "0",
    options: [{ value: "1", text: t("it happened") }, { value: "0", text: t("it did not happen") }],
    onChange: (value) => ((state.happened = value === "1"), refresh()),
  });
  const gamma = slider({
    label: "γ", low: 0, high: data.mostGamma, step: 0.1, value: state.gamma, say: (value) => number(value, 1),
    onInput: (value) => ((state.gamma = value), refresh()),
  });
  const p = slider({
    label: t("predicted probability"), low: data.least, high: data.most, step: 0.01, value: state.p, say: (value) => number(value),
    onInput: (value) => ((state.p = value), refresh()),
  });
  const charts = html("div", { class: "mtl-charts" });
  const words = html("p", { class: "mtl-words" });
  root.append(html("div", { class: "mtl-controls" }, label.node), html("div", { class: "mtl-sliders" }, gamma.node, p.node), charts, words);
  const places = Array.from({ length: STEPS + 1 }, (_, i) => data.least + ((data.most - data.least) * i) / STEPS);
  let drawn = [];

  // One chart: points(gamma) gives the curve, dot() the point of the sliders.
  function chart({ name, x, y, highest, width, points, dot, lines }) {
    const height = clamp(Math.round(width * 0.62), 200, 300);
    const node = svg("svg", { class: "mtl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" }, charts);
    const [left, right, top, bottom] = [40, width - 12, 24, height - 40];
    const across = (value) => left + (right - left) * value;
    const up = (value) => bottom - ((bottom - top) * clamp(value, 0, highest)) / highest;
    svg("text", { class: "mtl-small", x: 0, y: 12, text: y }, node);
    svg("text", { class: "mtl-small", x: right, y: height - 4, "text-anchor": "end", text: x }, node);
    for (const value of [0, 0.5, 1]) {
      svg("line", { class: "mtl-axis", x1: across(value), x2: across(value), y1: bottom, y2: bottom + 4 }, node);
      svg("text", { class: "mtl-small", x: across(value), y: bottom + 18, "text-anchor": "middle", text: number(value, 1) }, node);
    }
    for (const value of [0, highest / 2, highest]) {
      svg("line", { class: "mtl-axis", x1: left, x2: right, y1: up(value), y2: up(value) }, node);
      svg("text", { class: "mtl-small", x: left - 5, y: up(value) + 4, "text-anchor": "end", text: number(value, 1) }, node);
    }
    const path = (each) => each.map(([a, b], i) => `${i ? "L" : "M"}${across(a).toFixed(1)} ${up(b).toFixed(1)}`).join("");
    const plain = svg("path", { class: "mtl-line is-plain" }, node);
    const focal = svg("path", { class: "mtl-line is-focal", style: "--c: var(--mtl-colour-0)" }, node);
    const guides = svg("path", { class: "mtl-line mtl-cursor is-faint" }, node);
    const mark = svg("circle", { class: "mtl-dot", style: "--c: var(--mtl-colour-1)", r: 6 }, node);
    return () => {
      plain.setAttribute("d", path(points(0)));
      focal.setAttribute("d", path(points(state.gamma)));
      const [a, b] = dot();
      mark.setAttribute("cx", across(a));
      mark.setAttribute("cy", up(b));
      guides.setAttribute("d", lines ? `M${left} ${up(b)}H${across(a)}V${bottom}` : `M${across(a)} ${up(b)}V${bottom}`);
      node.dataset.chart = name;
      node.dataset.value = number(lines ? a : b, 4);
      node.setAttribute("aria-label", `${y}: ${number(lines ? a : b, 3)}`);
    };
  }

  function build(width) {
    const each = width > 700 ? Math.floor((width - 24) / 2) : width;
    charts.replaceChildren();
    drawn = [
      chart({
        name: "loss", x: t("predicted probability"), y: t("loss of the row"), highest: HIGHEST_LOSS, width: each, lines: false,
        points: (power) => places.map((at) => [at, focalLoss(at, state.happened, power)]),
        dot: () => [state.p, focalLoss(state.p, state.happened, state.gamma)],
      }),
      chart({
        name: "meant", x: t("true probability"), y: t("prediction of least expected loss"), highest: 1, width: each, lines: true,
        points: (power) => places.map((at) => [meant(at, power), at]),
        dot: () => [meant(state.p, state.gamma), state.p],
      }),
    ];
    refresh();
  }

  function refresh() {
    for (const draw of drawn) draw();
    const [loss, plain] = [focalLoss(state.p, state.happened, state.gamma), focalLoss(state.p, state.happened, 0)];
    const values = {
      loss: number(loss, 4), plain: number(plain, 4), share: number((100 * loss) / plain, 1),
      p: number(state.p), meant: number(meant(state.p, state.gamma), 3), gamma: number(state.gamma, 1),
    };
    words.textContent = t("Loss {loss}, {share} % of cross-entropy's {plain} (dashed). Trained with γ = {gamma}, a prediction of {p} means a probability of {meant}.", values);
    say(words.textContent);
  }

  return onWidth(root, build);
}

export default { render };
