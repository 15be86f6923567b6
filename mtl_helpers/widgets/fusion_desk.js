// The fusion desk: one exponent a score, the ranking they give, and what users would really have done.

import { button, choice, clamp, frame, html, number, onWidth, select, slider, speaker, svg, t, unpack, useWords } from "./base.js";

// The fused score of every item; in logarithms, so that a product is a sum.
export function fuse(scores, weights, mode) {
  const count = scores[0].length;
  const fused = new Float64Array(count);
  scores.forEach((values, s) => {
    const weight = weights[s];
    if (weight === 0) return;
    for (let i = 0; i < count; i += 1) fused[i] += weight * (mode === "product" ? Math.log(Math.max(values[i], 1e-9)) : values[i]);
  });
  return fused;
}

// Items of each request, best first; equal scores keep the order given.
export const rank = (fused, requests) => requests.map((items) => [...items].sort((a, b) => fused[b] - fused[a] || a - b));

// Mean outcome among the first k, averaged over requests, for k = 1 .. depth.
export function curve(outcome, rankings, depth) {
  const sums = new Float64Array(depth);
  for (const ranking of rankings) {
    let sum = 0;
    for (let k = 0; k < depth; k += 1) sums[k] += (sum += outcome[ranking[k]]) / (k + 1);
  }
  return sums.map((value) => value / rankings.length);
}

async function render({ model: host, el }) {
  const data = host.get("data");
  const scores = (await Promise.all(data.scores.map((each) => unpack(each.values)))).map((each) => each.values);
  const outcomes = (await Promise.all(data.outcomes.map((each) => unpack(each.values)))).map((each) => each.values);
  useWords(data.words);
  const root = frame(el, "fusion", t("Fusion desk"), data.colours);
  const state = { mode: "product", weights: { product: [...data.start], sum: [...data.start] }, request: 0 };
  const depth = Math.min(20, ...data.requests.map((items) => items.length));
  const top = Math.min(10, depth);
  const say = speaker(root);
  const ideal = outcomes.map((outcome) => curve(outcome, rank(outcome, data.requests), depth));
  const average = outcomes.map((outcome) => curve(outcome, data.requests, data.requests[0].length && depth).map(() => mean(outcome)));
  let now = null;
  let reference = null;

  const mode = choice({
    label: t("Fuse by"), value: "product",
    options: [{ value: "product", text: t("product") }, { value: "sum", text: t("weighted sum") }],
    onChange: (value) => {
      state.mode = value;
      sliders.forEach((each, s) => each.set(weights()[s]));
      refresh();
    },
  });
  const request = select({
    label: t("List of"), value: 0, options: data.requestNames.map((text, value) => ({ value, text })),
    onChange: (value) => ((state.request = Number(value)), refresh()),
  });
  const keep = button({ text: t("Keep as reference"), onPress: () => ((reference = now), refresh(), say(t("Kept as the reference."))) });
  const reset = button({ text: t("Start again"), onPress: () => {
    state.weights = { product: [...data.start], sum: [...data.start] };
    sliders.forEach((each, s) => each.set(weights()[s]));
    refresh();
  } });
  const sliders = data.scores.map((score, s) => {
    const made = slider({
      label: score.name, low: 0, high: data.most, step: 0.05, value: data.start[s], say: (value) => number(value),
      onInput: (value) => ((weights()[s] = value), refresh()),
    });
    const swatch = html("span", { class: "mtl-swatch", style: `--c: var(--mtl-colour-${score.colour})` });
    made.node.firstChild.prepend(swatch);
    return made;
  });
  const formula = html("p", { class: "mtl-formula" });
  const list = html("table", { class: "mtl-ranking" });
  const charts = html("div", { class: "mtl-outcomes" });
  const words = html("p", { class: "mtl-words" });
  root.append(
    html("div", { class: "mtl-controls" }, mode.node, data.requests.length > 1 ? request.node : null, keep, reset),
    html("div", { class: "mtl-sliders" }, sliders.map((each) => each.node)), formula,
    html("div", { class: "mtl-desk" }, html("div", { class: "mtl-list" }, list), charts), words,
  );
  const rows = makeList();
  let plots = [];

  function weights() {
    return state.weights[state.mode];
  }

  function makeList() {
    const groups = html("tr", {}, html("td", { colspan: 2 }), html("th", { scope: "colgroup", colspan: data.scores.length, text: t("predicted") }),
      html("th", { scope: "colgroup", class: "is-outcome", colspan: data.outcomes.length, text: t("would really happen") }));
    const head = html("tr", {}, html("th", { scope: "col", text: "#" }), html("th", { scope: "col", class: "is-name", text: t("item") }),
      data.scores.map((each) => html("th", { scope: "col", title: each.name }, html("span", { class: "mtl-swatch", style: `--c: var(--mtl-colour-${each.colour})` }), each.name)),
      data.outcomes.map((each) => html("th", { scope: "col", class: "is-outcome", text: each.name })));
    const body = html("tbody");
    const made = Array.from({ length: top }, (_, k) => {
      const moved = html("span", { class: "mtl-moved" });
      const name = html("td", { class: "is-name" });
      const bars = data.scores.map((each) => html("td", { class: "is-score", style: `--c: var(--mtl-colour-${each.colour})` }));
      const facts = data.outcomes.map(() => html("td", { class: "is-outcome" }));
      const row = html("tr", {}, html("td", {}, String(k + 1), moved), name, bars, facts);
      body.append(row);
      return { row, name, moved, bars, facts };
    });
    list.append(html("caption", { class: "mtl-unseen", text: t("Ranked list: predicted scores, and what the user would really do") }), html("thead", {}, groups, head), body);
    return made;
  }

  function refresh() {
    const fused = fuse(scores, weights(), state.mode);
    const rankings = rank(fused, data.requests);
    now = { rankings, curves: outcomes.map((outcome) => curve(outcome, rankings, depth)) };
    reference ??= now;
    drawList();
    for (const plot of plots) plot();
    const sign = state.mode === "product" ? " · " : " + ";
    const terms = data.scores.map((each, s) => (state.mode === "product" ? `${each.name}^${number(weights()[s])}` : `${number(weights()[s])} × ${each.name}`));
    formula.textContent = `${t("score")} = ${terms.join(sign)}`;
    words.textContent = data.outcomes.map((each, o) => {
      const [here, there] = [now.curves[o][top - 1], reference.curves[o][top - 1]];
      const than = now === reference ? "" : t(", reference {value}", { value: number(there, each.digits) });
      const values = { name: each.name, top, value: number(here, each.digits), than, best: number(ideal[o][top - 1], each.digits) };
      return t("{name} in the first {top}: {value}{than}, best possible {best}.", values);
    }).join(" ");
    say(words.textContent);
  }

  function drawList() {
    const ranking = now.rankings[state.request];
    const before = reference.rankings[state.request];
    rows.forEach((row, k) => {
      const item = ranking[k];
      const shift = before.indexOf(item) - k;
      row.row.dataset.item = item;
      row.name.textContent = row.name.title = data.items[item];
      row.moved.textContent = shift === 0 ? "" : `${shift > 0 ? "▲" : "▼"}${Math.abs(shift)}`;
      row.bars.forEach((bar, s) => {
        const value = scores[s][item];
        bar.textContent = number(value);
        bar.style.setProperty("--share", `${clamp(value / data.scores[s].most, 0, 1) * 100}%`);
      });
      row.facts.forEach((cell, o) => (cell.textContent = number(outcomes[o][item], data.outcomes[o].digits)));
    });
  }

  function build(width) {
    const wide = width > 820;
    root.querySelector(".mtl-desk").classList.toggle("is-wide", wide);
    const room = wide ? Math.floor(width * 0.4) : width;
    const columns = wide ? 1 : Math.max(1, Math.min(outcomes.length, Math.floor(room / 240)));
    charts.style.width = `${room}px`;
    const height = wide ? clamp(Math.floor(330 / outcomes.length), 104, 150) : 140;
    plots = data.outcomes.map((each, o) => plotOutcome(each, o, Math.floor(room / columns) - 8, height));
    refresh();
  }

  function plotOutcome(outcome, o, width, height) {
    const node = svg("svg", { class: "mtl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
    if (o === 0) charts.replaceChildren();
    charts.append(node);
    const [left, right, top0, bottom] = [36, width - 74, 26, height - 18];
    const high = Math.max(...ideal[o]) || 1;
    const low = Math.min(0, ...ideal[o], ...average[o]);
    const x = (k) => left + ((right - left) * k) / Math.max(1, depth - 1);
    const y = (value) => bottom - ((bottom - top0) * (value - low)) / (high - low);
    const path = (values) => [...values].map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const style = `--c: var(--mtl-colour-${outcome.colour})`;
    svg("text", { class: "mtl-small is-title", x: 0, y: 12, text: t("true {name}, mean of the first k", { name: outcome.name }) }, node);
    for (const value of [low, high]) {
      svg("line", { class: "mtl-axis", x1: left, x2: right, y1: y(value), y2: y(value) }, node);
      svg("text", { class: "mtl-small", x: left - 5, y: y(value) + 4, "text-anchor": "end", text: number(value, outcome.digits) }, node);
    }
    for (const k of [1, top, depth]) svg("text", { class: "mtl-small", x: x(k - 1), y: height - 3, "text-anchor": k === 1 ? "start" : k === depth ? "end" : "middle", text: k === 1 ? "k = 1" : k }, node);
    svg("path", { class: "mtl-line is-best", d: path(ideal[o]) }, node);
    svg("path", { class: "mtl-line is-random", d: path(average[o]) }, node);
    const old = svg("path", { class: "mtl-line is-reference" }, node);
    const line = svg("path", { class: "mtl-line", style }, node);
    const dot = svg("circle", { class: "mtl-dot", style, r: 4, cx: x(top - 1) }, node);
    const tags = [
      { text: t("best"), y: y(ideal[o][depth - 1]) + 4 }, { text: t("chance"), y: y(average[o][depth - 1]) + 4 },
    ].sort((a, b) => a.y - b.y);
    tags[1].y = Math.max(tags[1].y, tags[0].y + 13);
    for (const tag of tags) svg("text", { class: "mtl-small", x: right + 6, ...tag }, node);
    const reached = svg("text", { class: "mtl-value", x: width, y: 12, "text-anchor": "end" }, node);
    return () => {
      line.setAttribute("d", path(now.curves[o]));
      old.setAttribute("d", now === reference ? "" : path(reference.curves[o]));
      dot.setAttribute("cy", y(now.curves[o][top - 1]));
      const value = number(now.curves[o][top - 1], outcome.digits);
      reached.textContent = `${value} @${top}`;
      node.dataset.outcome = outcome.name;
      node.dataset.value = number(now.curves[o][top - 1], 4);
      node.setAttribute("aria-label", t("{name}: {value} in the first {top}", { name: outcome.name, value, top }));
    };
  }

  return onWidth(root, build);
}

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

export default { render };
