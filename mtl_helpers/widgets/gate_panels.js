// Beside the network: the table of gate weights, and what changed over training.

import { clamp, html, number, short, signed, svg, t } from "./base.js";
import { expertGroups, gateOrder, shortName } from "./gate_data.js";

const bare = (text) => text.replace(/^([+−]?)0(?=\.)/, "$1").replace(/^\.0$/, "0");
const compact = (value) => bare(number(value));
const tick = (value) => (Number.isInteger(value) ? String(value) : compact(value));

// A table gate x expert, in the experts' order of the network, with their load and what each is worth below.
export function table(model, data, l, width, grouped, on) {
  const level = model.levels[l];
  const groups = expertGroups(level);
  const order = groups.flatMap((group) => group.experts);
  const longest = Math.max(...level.gates.map((name) => name.length), 5);
  const first = clamp(26 + 7.6 * longest, 96, 136);
  const written = (width - first) / order.length >= 24;
  const tasks = data.tasks.map((_, i) => i);
  const colour = (name) => `--c: var(--mtl-colour-${data.gateColours[name]})`;
  const starts = new Set(groups.slice(1).map((group) => group.experts[0]));
  const node = html("table", { class: `mtl-table${written ? "" : " is-dense"}`, style: `--first: ${first}px` });
  const swatch = (name) => html("span", { class: "mtl-swatch", style: colour(name) });
  const heading = (text, name) => html("th", { scope: "row", title: text }, name ? swatch(name) : null, short(text, 15));
  const spread = (make) => order.map((expert) => {
    const cell = make(expert);
    if (starts.has(expert)) cell.classList.add("is-start");
    return cell;
  });
  function cells(kind, gate, task) {
    return spread((expert) => {
      const cell = html("td", { "data-kind": kind, "data-expert": level.experts[expert] });
      if (kind === "weight") {
        cell.dataset.gate = level.gates[gate];
        cell.setAttribute("style", colour(level.gates[gate]));
      }
      if (kind === "worth") cell.dataset.task = data.tasks[task];
      cell.addEventListener("pointerenter", () => on.hover({ level: l, gate: kind === "weight" ? gate : -1, expert }, cell));
      cell.addEventListener("pointerleave", () => on.leave());
      return cell;
    });
  }
  const label = model.levels.length > 1 ? t("Gate weights, level {level}", { level: l + 1 }) : t("Gate weights");
  node.append(html("caption", { class: "mtl-unseen", text: label }));
  const head = html("thead");
  if (grouped) {
    head.append(html("tr", {}, html("td"), groups.map((group, i) => {
      if (groups.length === 1) return html("td", { colspan: order.length }); // keeps tables side by side in line
      const name = group.owner < 0 ? t("shared") : level.gates[group.owner];
      const text = short(name, Math.max(3, Math.floor((group.experts.length * (width - first)) / order.length / 8)));
      return html("th", { scope: "colgroup", colspan: group.experts.length, class: i ? "is-start" : null, title: name }, text);
    })));
  }
  head.append(html("tr", {}, html("th", { scope: "col", text: model.levels.length > 1 ? t("level {level}", { level: l + 1 }) : t("expert") }), spread((expert) =>
    html("th", { scope: "col", title: level.experts[expert] }, written || expert % 8 === 0 ? shortName(level, expert) : html("span", { class: "mtl-unseen", text: level.experts[expert] })))));
  const body = html("tbody");
  const weightRows = gateOrder(level).map((gate) => ({ gate, cells: cells("weight", gate) }));
  for (const row of weightRows) body.append(html("tr", {}, heading(level.gates[row.gate], level.gates[row.gate]), row.cells));
  const loadCells = cells("load");
  body.append(html("tr", { class: "is-apart" }, heading(t("load")), loadCells));
  const worthRows = level.hasWorth ? tasks.map((task) => ({ task, cells: cells("worth", -1, task) })) : [];
  if (worthRows.length) {
    const unit = unitOf(model.metrics);
    body.append(html("tr", { class: "is-title" }, html("th", { colspan: order.length + 1, scope: "rowgroup", text: t("Change of validation {metric} without the expert", { metric: unit.name }) })));
    for (const row of worthRows) body.append(html("tr", {}, heading(data.tasks[row.task], data.tasks[row.task]), row.cells));
  }
  node.append(head, body);

  function paint(cell, text, share, words) {
    if (cell.shown === text) return;
    cell.shown = text;
    cell.dataset.value = words;
    cell.style.setProperty("--share", `${Math.round(share * 100)}%`);
    if (written) cell.textContent = text;
  }

  function draw(weights, load) {
    const count = level.experts.length;
    for (const { gate, cells: row } of weightRows) {
      order.forEach((expert, i) => {
        const weight = weights[gate * count + expert];
        const no = !level.reach[gate][expert];
        paint(row[i], no ? "·" : compact(weight), weight, no ? t("not connected") : number(weight, 3));
      });
    }
    order.forEach((expert, i) => paint(loadCells[i], compact(load[expert]), load[expert], number(load[expert], 3)));
  }

  // What each expert is worth, for one seed: negative where the metric falls without it.
  function worth(seed) {
    const unit = unitOf(model.metrics);
    const values = worthRows.map((row) => order.map((expert) => level.worth(row.task, seed, expert)));
    const most = Math.max(1e-9, ...values.flat().map(Math.abs));
    worthRows.forEach((row, r) => row.cells.forEach((cell, i) => {
      const value = values[r][i];
      paint(cell, bare(signed(value * unit.scale, 1)), Math.abs(value) / most, signed(value, 4));
      cell.classList.toggle("is-up", value > 0);
    }));
  }

  function switchOff(expert) {
    for (const cell of node.querySelectorAll("td[data-kind]")) cell.classList.toggle("is-off", expert >= 0 && cell.dataset.expert === level.experts[expert]);
  }

  return { node, draw, worth, switchOff };
}

// AUC and accuracy are shown in points (hundredths), other metrics as they are.
export function unitOf(metrics) {
  const points = metrics.every((name) => ["auc", "accuracy"].includes(name));
  const names = [...new Set(metrics)].map(metricName).join(", ");
  return points ? { scale: 100, names, name: t("{metric}, in points,", { metric: names }) } : { scale: 1, names, name: names };
}

export const metricName = (name) => (name.length <= 3 ? name.toUpperCase() : name);

// A line chart over epochs. lines: [{values, colour, faint, label}], where label is true for the value, or a name.
export function chart({ title, width, height, epochs, low, high, lines, digits = 2, margin = 34, onPick }) {
  const node = svg("svg", { class: "mtl-chart", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const left = 30;
  const right = width - margin;
  const top = 24;
  const bottom = height - 18;
  const x = (epoch) => left + ((right - left) * epoch) / Math.max(1, epochs.length - 1);
  const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low || 1);
  svg("text", { class: "mtl-small", x: 0, y: 12, text: title }, node);
  for (const value of [low, high]) {
    svg("line", { class: "mtl-axis", x1: left, x2: right, y1: y(value), y2: y(value) }, node);
    svg("text", { class: "mtl-small", x: left - 4, y: y(value) + 4, "text-anchor": "end", text: tick(value) }, node);
  }
  svg("text", { class: "mtl-small", x: left, y: height - 3, text: epochs[0] }, node);
  if (right - left > 74) svg("text", { class: "mtl-small", x: (left + right) / 2, y: height - 3, "text-anchor": "middle", text: t("epoch") }, node);
  svg("text", { class: "mtl-small", x: right, y: height - 3, "text-anchor": "end", text: epochs[epochs.length - 1] }, node);
  const cursor = svg("line", { class: "mtl-cursor", y1: top - 4, y2: bottom, x1: 0, x2: 0 }, node);
  const marks = lines.map((line) => {
    const style = line.colour === undefined ? null : `--c: var(--mtl-colour-${line.colour})`;
    const d = line.values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    svg("path", { class: `mtl-line${line.faint ? " is-faint" : ""}`, style, d }, node);
    return line.faint ? null : svg("circle", { class: "mtl-dot", style, r: 3.5 }, node);
  });
  const label = lines.map(() => null);
  const labelled = lines.map((line, i) => ({ line, i })).filter(({ line }) => line.label);
  for (const { i } of labelled) label[i] = svg("text", { class: "mtl-value", x: right + 5 }, node);
  node.addEventListener("pointerdown", (event) => {
    const box = node.getBoundingClientRect();
    const share = (((event.clientX - box.left) * width) / box.width - left) / (right - left);
    onPick(clamp(Math.round(share * (epochs.length - 1)), 0, epochs.length - 1));
  });
  function draw(epoch) {
    cursor.setAttribute("x1", x(epoch));
    cursor.setAttribute("x2", x(epoch));
    const placed = labelled.map(({ line, i }) => ({ i, value: line.values[epoch], y: y(line.values[epoch]) + 4 })).sort((a, b) => a.y - b.y);
    placed.forEach((each, k) => {
      if (k) each.y = Math.max(each.y, placed[k - 1].y + 12);
      label[each.i].setAttribute("y", each.y);
      const name = lines[each.i].label;
      label[each.i].textContent = name === true ? bare(number(each.value, digits)) : name;
    });
    lines.forEach((line, i) => {
      if (!marks[i]) return;
      marks[i].setAttribute("cx", x(epoch));
      marks[i].setAttribute("cy", y(line.values[epoch]));
    });
  }
  return { node, draw };
}
