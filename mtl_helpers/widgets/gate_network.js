// The network as a picture: inputs, experts, gates, towers. What flows into a gate adds up to its height.

import { clamp, number, roving, short, svg, t } from "./base.js";
import { expertGroups, gateOrder, ownerName, shortName } from "./gate_data.js";

const INPUT = 12;
const GATE = 7;
const HEAD = 28;
const LABEL = 19;
const FAINT = 0.002; // weights below are not drawn
const round = (value) => Math.round(value * 10) / 10;

// Where everything stands, for a picture of the given size.
function place(model, width, height) {
  const count = model.levels.length;
  const tower = Math.round(clamp(width * 0.23, 92, 150));
  const box = Math.max(...model.levels.map((level) => level.experts.length)) > 20 ? 8 : 30;
  const reachIn = count > 1 ? 34 : 52;
  const reachOut = Math.floor((width - INPUT - tower - 12 - count * (reachIn + box + GATE)) / count);
  let x = INPUT;
  const columns = model.levels.map((level) => {
    const left = x + reachIn;
    const column = { left, right: left + box, gate: left + box + reachOut, experts: [], gates: [], labels: [] };
    x = column.gate + GATE;
    placeExperts(level, column, height);
    placeGates(level, column, height);
    return column;
  });
  return { columns, tower, towerLeft: width - tower };
}

function placeExperts(level, column, height) {
  const groups = expertGroups(level);
  const named = groups.length > 1;
  const room = height - HEAD - 4 - (named ? groups.length * LABEL : 0);
  const pitch = Math.min(40, room / level.experts.length);
  let y = HEAD + (room - pitch * level.experts.length) / 2;
  for (const group of groups) {
    if (named) {
      column.labels.push({ y: y + 14, text: group.owner < 0 ? t("shared") : level.gates[group.owner], owner: group.owner });
      y += LABEL;
    }
    for (const expert of group.experts) {
      column.experts[expert] = { middle: y + pitch / 2, half: Math.min(13, pitch > 12 ? pitch / 2 - 2 : pitch * 0.42) };
      y += pitch;
    }
  }
  column.order = groups.flatMap((group) => group.experts);
}

function placeGates(level, column, height) {
  const order = gateOrder(level);
  const room = (height - HEAD - 4) / order.length;
  order.forEach((gate, i) => {
    const middle = HEAD + room * (i + 0.5);
    column.gates[gate] = { middle, half: Math.min(60, room / 2 - (room > 60 ? 14 : 3)) };
  });
}

const curve = (x1, y1, x2, y2) => `M${round(x1)} ${round(y1)}C${round((x1 + x2) / 2)} ${round(y1)} ${round((x1 + x2) / 2)} ${round(y2)} ${round(x2)} ${round(y2)}`;

// on: {hover(edge or null), leave(), press(level, expert)}
export function network(model, data, width, height, on) {
  const at = place(model, width, height);
  const node = svg("svg", { class: "mtl-network", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": t("network of {model}", { model: model.name }) });
  const colour = (gate) => `--c: var(--mtl-colour-${data.gateColours[gate]})`;
  const fixed = svg("g", { "aria-hidden": "true" }, node);
  svg("rect", { class: "mtl-input", x: 0, y: HEAD, width: INPUT, height: height - HEAD - 4, rx: 3 }, fixed);
  svg("text", { class: "mtl-small", x: 0, y: 13, text: t("input") }, fixed);
  const edges = model.levels.flatMap((level, l) => drawLevel(level, l));
  const towers = drawTowers();

  function drawLevel(level, l) {
    const column = at.columns[l];
    const several = model.levels.length > 1;
    svg("text", { class: "mtl-small", x: column.left, y: 13, text: several ? t(column.gate - column.left > 175 ? "level {level} experts" : "level {level}", { level: l + 1 }) : t("experts") }, fixed);
    svg("text", { class: "mtl-small", x: column.gate + GATE, y: 13, "text-anchor": "end", text: t("gates") }, fixed);
    for (const expert of column.order) {
      const { middle } = column.experts[expert];
      if (l === 0) svg("path", { class: "mtl-wire", d: curve(INPUT, middle, column.left, middle) }, fixed);
      else for (const gate of feeders(model.levels[l - 1], level, expert)) {
        const from = at.columns[l - 1].gates[gate];
        svg("path", { class: "mtl-wire is-task", style: colour(model.levels[l - 1].gates[gate]), d: curve(at.columns[l - 1].gate + GATE, from.middle, column.left, middle) }, fixed);
      }
    }
    const flow = svg("g", { role: "group", "aria-label": t("gate weights, level {level}", { level: l + 1 }) }, node);
    const made = drawEdges(level, l, column, flow);
    drawGates(level, column);
    drawExperts(level, l, column);
    for (const label of column.labels) svg("text", { class: "mtl-small mtl-halo", x: column.left, y: label.y, text: short(label.text, 16) }, fixed2(node));
    return made;
  }

  function drawEdges(level, l, column, flow) {
    const made = [];
    for (const gate of gateOrder(level)) {
      const bands = svg("g", { class: "mtl-bands", style: colour(level.gates[gate]) }, flow); // the colour is worked out once
      for (const expert of column.order) {
        if (!level.reach[gate][expert]) continue;
        const path = svg("path", { class: "mtl-edge", role: "img", tabindex: "-1", "data-level": l + 1, "data-gate": level.gates[gate], "data-expert": level.experts[expert] }, bands);
        const edge = { path, level: l, gate, expert };
        path.addEventListener("pointerenter", () => on.hover(edge));
        path.addEventListener("pointerleave", () => on.leave());
        path.addEventListener("focus", () => on.hover(edge));
        path.addEventListener("blur", () => on.leave());
        made.push(edge);
      }
    }
    const paths = made.map((edge) => edge.path);
    roving(paths, (path, key) => {
      const edge = made[paths.indexOf(path)];
      const same = made.filter((other) => other.gate === edge.gate);
      if (key === "ArrowDown" || key === "ArrowUp") return same[same.indexOf(edge) + (key === "ArrowDown" ? 1 : -1)]?.path;
      const sides = { ArrowLeft: -1, ArrowRight: 1 };
      if (!(key in sides)) return null;
      const order = gateOrder(level);
      const next = order[order.indexOf(edge.gate) + sides[key]];
      const there = made.filter((other) => other.gate === next);
      return (there.find((other) => other.expert === edge.expert) ?? there[0])?.path;
    });
    return made;
  }

  function drawGates(level, column) {
    for (const [gate, { middle, half }] of column.gates.entries()) {
      const g = svg("g", { "aria-hidden": "true", style: colour(level.gates[gate]) }, node);
      svg("rect", { class: "mtl-gate", x: column.gate, y: middle - half, width: GATE, height: 2 * half, rx: 2 }, g);
      if (column !== at.columns[at.columns.length - 1]) svg("text", { class: "mtl-small mtl-halo", x: column.gate + GATE, y: middle - half - 5, "text-anchor": "end", text: short(level.gates[gate], 14) }, g);
    }
  }

  function drawExperts(level, l, column) {
    const group = svg("g", { role: "group", "aria-label": t("experts of level {level}, on or off", { level: l + 1 }) }, node);
    const items = column.order.map((expert) => {
      const { middle, half } = column.experts[expert];
      const item = svg("g", { class: "mtl-expert", role: "switch", tabindex: "-1", "aria-checked": "true", "aria-label": level.experts[expert], "data-level": l + 1, "data-expert": level.experts[expert], style: level.owners[expert] >= 0 ? colour(level.gates[level.owners[expert]]) : null }, group);
      svg("rect", { x: column.left, y: middle - half, width: column.right - column.left, height: 2 * half, rx: Math.min(5, half) }, item);
      if (half > 7) svg("text", { x: (column.left + column.right) / 2, y: middle + 4.5, "text-anchor": "middle", text: short(shortName(level, expert), 4) }, item);
      const press = () => on.press(l, expert);
      item.addEventListener("click", press);
      item.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        press();
      });
      if (half <= 7 && expert % 8 === 0) svg("text", { class: "mtl-small mtl-halo", x: column.left - 5, y: middle + 4, "text-anchor": "end", text: shortName(level, expert) }, fixed);
      return item;
    });
    roving(items, (item, key) => items[items.indexOf(item) + ({ ArrowDown: 1, ArrowUp: -1 }[key] ?? NaN)] ?? null);
  }

  function drawTowers() {
    const last = model.levels[model.levels.length - 1];
    const column = at.columns[at.columns.length - 1];
    const room = (height - HEAD - 4) / data.tasks.length;
    svg("text", { class: "mtl-small", x: at.towerLeft + 2, y: 13, text: t("towers") }, fixed);
    return data.tasks.map((task, i) => {
      const gate = Math.max(0, last.gates.indexOf(task));
      const middle = last.gates.includes(task) ? column.gates[gate].middle : HEAD + room * (i + 0.5);
      const tall = room > 74;
      const half = tall ? 30 : Math.min(24, room / 2 - 3);
      const g = svg("g", { class: "mtl-tower", "data-task": task, style: colour(task) }, node);
      svg("path", { class: "mtl-pipe", d: curve(column.gate + GATE, column.gates[gate].middle, at.towerLeft, middle) }, g);
      svg("rect", { x: at.towerLeft, y: middle - half, width: at.tower - 1, height: 2 * half, rx: 5 }, g);
      svg("rect", { class: "mtl-edge-mark", x: at.towerLeft, y: middle - half, width: 4, height: 2 * half, rx: 2 }, g);
      const left = at.towerLeft + 12;
      const two = half > 16;
      svg("text", { class: "mtl-name", x: left, y: two ? middle - (tall ? 11 : 4) : middle + 4, text: short(task, Math.floor((at.tower - (two ? 14 : 56)) / 7)) }, g);
      const score = svg("text", { class: "mtl-score", x: two ? left : at.towerLeft + at.tower - 8, "text-anchor": two ? "start" : "end", y: two ? middle + (tall ? 7 : 13) : middle + 4 }, g);
      const change = tall ? svg("text", { class: "mtl-change", x: left, y: middle + 23 }, g) : null;
      return { g, score, change };
    });
  }

  // shown: weights of each level, in flight between two states; wanted: those they come to rest at.
  function draw(shown) {
    for (const [l, level] of model.levels.entries()) {
      const column = at.columns[l];
      const count = level.experts.length;
      const into = column.gates.map(({ middle, half }) => middle - half);
      const outOf = column.experts.map(({ middle, half }, expert) => {
        let sum = 0;
        let gates = 0;
        level.gates.forEach((_, gate) => {
          sum += shown[l][gate * count + expert];
          gates += level.reach[gate][expert];
        });
        const scale = (2 * half) / Math.max(1, gates);
        return { y: middle - (sum * scale) / 2, scale };
      });
      const x1 = column.right;
      const x2 = column.gate;
      const xm = round((x1 + x2) / 2);
      for (const edge of edges) {
        if (edge.level !== l) continue;
        const weight = shown[l][edge.gate * count + edge.expert];
        const from = outOf[edge.expert];
        const a = round(from.y);
        const b = round((from.y += weight * from.scale));
        const c = round(into[edge.gate]);
        const d = round((into[edge.gate] += weight * 2 * column.gates[edge.gate].half));
        const shape = weight < FAINT ? "" : `M${x1} ${a}C${xm} ${a} ${xm} ${c} ${x2} ${c}L${x2} ${d}C${xm} ${d} ${xm} ${b} ${x1} ${b}Z`;
        if (edge.shape === shape) continue;
        edge.path.setAttribute("d", (edge.shape = shape));
        const opacity = Math.round(100 * (0.22 + 0.68 * Math.sqrt(weight))) / 100;
        if (edge.opacity !== opacity) edge.path.style.fillOpacity = edge.opacity = opacity;
      }
    }
  }

  function settle(wanted) {
    for (const edge of edges) {
      const level = model.levels[edge.level];
      const weight = number(wanted[edge.level][edge.gate * level.experts.length + edge.expert], 3);
      if (edge.said === weight) continue;
      edge.said = weight;
      edge.path.setAttribute("data-weight", weight);
      edge.path.setAttribute("aria-label", `${edgeName(level, edge)}: ${weight}`);
    }
  }

  function mark(edge) {
    node.classList.toggle("has-mark", edge !== null);
    for (const each of edges) each.path.classList.toggle("is-marked", edge !== null && each.level === edge.level && each.expert === edge.expert && (edge.gate < 0 || each.gate === edge.gate));
  }

  function dim(task) {
    for (const edge of edges) edge.path.classList.toggle("is-dim", task >= 0 && model.levels[edge.level].gates[edge.gate] !== data.tasks[task]);
    towers.forEach(({ g }, i) => g.classList.toggle("is-dim", task >= 0 && i !== task));
  }

  function switchOff(off) {
    for (const item of node.querySelectorAll(".mtl-expert")) {
      const isOff = off !== null && Number(item.dataset.level) === off.level + 1 && item.dataset.expert === model.levels[off.level].experts[off.expert];
      item.classList.toggle("is-off", isOff);
      item.setAttribute("aria-checked", String(!isOff));
    }
  }

  return { node, draw, settle, mark, dim, switchOff, towers };
}

const fixed2 = (node) => svg("g", { "aria-hidden": "true" }, node);

export const edgeName = (level, { gate, expert }) => `${level.experts[expert]} → ${level.gates[gate]}`;

// Gates of the level below that an expert reads: its owner's; a shared one the shared gate's, or all.
function feeders(below, level, expert) {
  const found = below.gates.indexOf(ownerName(level, expert));
  return found >= 0 ? [found] : below.gates.map((_, gate) => gate);
}
