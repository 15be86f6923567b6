// The gate explorer: controls, one card a model, and a sentence that says what is shown.

import { asker, choice, frame, html, number, onWidth, player, select, short, signed, slider, speaker, t, tip, tween, useWords } from "./base.js";
import { readRecords, shortName } from "./gate_data.js";
import { edgeName, network } from "./gate_network.js";
import { chart, metricName, table, unitOf } from "./gate_panels.js";

async function render({ model: host, el }) {
  const data = await readRecords(host.get("data"));
  const ask = host.get("live") ? asker(host) : null;
  useWords(data.words);
  const root = frame(el, "gates", t("Gate explorer"), data.colours);
  const state = {
    epoch: data.start.epoch, place: data.start.place, seed: 0, task: -1, level: Infinity,
    models: data.models.map((model) => model.name),
  };
  const places = [...data.groups.map((text) => t(text)), ...data.examples];
  const hint = tip(root);
  const say = speaker(root);
  let cards = [];

  // ---- controls
  const epochs = slider({
    label: t("Epoch"), low: 0, high: data.epochs.length - 1, value: state.epoch,
    say: (at) => t("{at} of {last}", { at: data.epochs[at], last: data.epochs[data.epochs.length - 1] }),
    onInput: (at) => (play.stop(), goTo(at, 0)),
  });
  const play = player(epochs, { label: t("Play the training"), onStep: goTo, onStop: speak });
  const place = select({
    label: t("Rows"), value: state.place,
    options: places.map((text, value) => ({ value, text, group: value < data.groups.length ? t("segments") : t("single rows") })),
    onChange: (value) => change({ place: Number(value) }),
  });
  const seed = select({
    label: t("Seed"), value: 0, options: data.seeds.map((each, value) => ({ value, text: String(each) })),
    onChange: (value) => change({ seed: Number(value) }),
  });
  const taskOptions = [{ value: -1, text: t("all") }, ...data.tasks.map((text, value) => ({ value, text, colour: data.gateColours[text] }))];
  const task = (data.tasks.length > 4 ? select : choice)({ label: t("Task"), value: -1, options: taskOptions, onChange: (value) => change({ task: Number(value) }) });
  const deepest = Math.max(...data.models.map((model) => model.levels.length));
  const level = choice({
    label: t("Level"), value: deepest - 1, options: Array.from({ length: deepest }, (_, value) => ({ value, text: String(value + 1) })),
    onChange: (value) => ((state.level = Number(value)), build()),
  });
  state.level = deepest - 1;
  const shown = choice({
    label: t("Models"), kind: "checkbox", value: state.models,
    options: data.models.map((model) => ({ value: model.name, text: model.name, colour: model.colour })),
    onChange: (names) => ((state.models = names), build()),
  });
  const bar = html("div", { class: "mtl-bar" }, play.node, epochs.node);
  const controls = html("div", { class: "mtl-controls" }, place.node, data.seeds.length > 1 ? seed.node : null, task.node,
    deepest > 1 ? level.node : null, data.models.length > 1 ? shown.node : null);
  const deck = html("div", { class: "mtl-deck" });
  const words = html("p", { class: "mtl-words" });
  root.append(controls, bar, deck, words);

  // ---- what happens
  function goTo(epoch, milliseconds) {
    state.epoch = epoch;
    refresh(milliseconds);
  }

  function change(some) {
    Object.assign(state, some);
    const redo = "place" in some || "seed" in some;
    for (const card of cards) redo && card.chartsAnew();
    refresh(redo ? 300 : 0);
  }

  function refresh(milliseconds = 0) {
    hint.hide();
    for (const card of cards) card.refresh(milliseconds);
    speak();
  }

  function speak() {
    const where = t("{place}, seed {seed}, epoch {epoch}.", { place: places[state.place], seed: data.seeds[state.seed], epoch: data.epochs[state.epoch] });
    words.textContent = `${where} ${cards.map((card) => card.sentence()).join(" ")}`;
    if (!play.playing()) say(words.textContent);
  }

  function build() {
    const kept = new Map(cards.map((card) => [card.name, card.off]));
    const wanted = data.models.filter((model) => state.models.includes(model.name));
    const width = root.clientWidth - 2;
    if (width < 1) return; // hidden, for instance on a slide that is not shown
    const columns = Math.max(1, Math.min(wanted.length, Math.floor((width + 16) / 436)));
    deck.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const inner = Math.floor((width - 16 * (columns - 1)) / columns) - 26;
    cards = wanted.map((model) => makeCard(model, inner, kept.get(model.name) ?? null, wanted));
    deck.replaceChildren(...cards.map((card) => card.node));
    refresh();
  }

  // ---- one model
  function makeCard(model, width, off, peers) {
    const wide = width > 820;
    const side = wide ? Math.floor(width * 0.44) : width;
    const most = Math.max(...peers.flatMap((peer) => peer.levels.map((each) => each.experts.length)));
    const groups = Math.max(...peers.flatMap((peer) => peer.levels.map((each) => new Set(each.owners).size)));
    const dense = wide ? Math.max(430, 190 + 50 * data.tasks.length) : 430;
    const height = most > 20 ? dense : Math.max(wide ? 300 : 236, 34 + most * 24 + (groups > 1 ? groups * 19 : 0));
    const l = Math.min(state.level, model.levels.length - 1);
    const leave = () => (net.mark(null), hint.hide());
    const net = network(model, data, wide ? width - side - 24 : width, height, { hover: hoverEdge, leave, press: toggle });
    const grid = table(model, data, l, side, groups > 1, { hover: hoverCell, leave });
    const charts = html("div", { class: "mtl-charts" });
    const card = { name: model.name, off, refresh, chartsAnew, sentence };
    const options = [{ value: "", text: t("none") }, ...model.levels.flatMap((each, i) => each.experts.map((text, expert) => (
      { value: `${i},${expert}`, text, group: model.levels.length > 1 ? t("level {level}", { level: i + 1 }) : undefined })))];
    const without = select({ label: t("Switch off"), value: off ? `${off.level},${off.expert}` : "", options, onChange: (value) => {
      const [i, expert] = value.split(",").map(Number);
      switchTo(value === "" ? null : { level: i, expert });
    } });
    const effect = html("span", { class: "mtl-effect" });
    const head = html("header", { style: `--c: var(--mtl-colour-${model.colour})` }, html("h3", { text: model.name }), effect, without.node);
    const right = html("div", { class: "mtl-side", style: `width: ${side}px` }, grid.node, charts);
    card.node = html("article", { class: `mtl-card${wide ? " is-wide" : ""}`, "aria-label": model.name }, head, html("div", { class: "mtl-body" }, net.node, right));
    let drawn = null;
    let changes = null; // task -> change of its metric, with the expert off
    let drawings = [];
    const move = tween((flat) => {
      drawn = flat;
      net.draw(split(flat));
    });

    function split(flat) {
      let from = 0;
      return model.levels.map((each) => flat.subarray(from, (from += each.gates.length * each.experts.length)));
    }

    function target() {
      const parts = model.levels.map((each, i) => each.weights(state.seed, state.place, state.epoch, card.off?.level === i ? card.off.expert : -1));
      const flat = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let from = 0;
      for (const part of parts) {
        flat.set(part, from);
        from += part.length;
      }
      return flat;
    }

    function refresh(milliseconds = 0) {
      const wanted = target();
      card.wanted = split(wanted);
      move(drawn, wanted, milliseconds);
      net.settle(card.wanted);
      net.dim(state.task);
      grid.draw(card.wanted[l], model.levels[l].load(card.wanted[l]));
      for (const each of drawings) each.draw(state.epoch);
      data.tasks.forEach((name, i) => {
        const { score, change: line } = net.towers[i];
        const value = model.scores(i, state.seed)[state.epoch];
        score.textContent = `${metricName(model.metrics[i])} ${number(value, 3)}`;
        score.parentNode.dataset.score = number(value, 4);
        const delta = changes?.[name];
        score.parentNode.dataset.change = delta === undefined ? "" : signed(delta, 4);
        if (line) line.textContent = delta === undefined ? "" : `${delta < 0 ? "▼" : "▲"} ${signed(delta, 4)}`;
      });
    }

    function chartsAnew() {
      grid.worth(state.seed);
      const metrics = [...new Set(model.metrics)].slice(0, 2);
      const each = Math.floor((side - 8 * (metrics.length + 1)) / (metrics.length + 2));
      const size = { width: each, height: 104, epochs: data.epochs, onPick: (epoch) => (play.stop(), epochs.set(epoch), goTo(epoch, 0)) };
      const here = model.levels[l];
            drawings = metrics.map((metric) => {
        const mine = data.tasks.map((_, i) => i).filter((i) => model.metrics[i] === metric);
        const all = peers.flatMap((peer) => mine.flatMap((i) => [...peer.scores(i, state.seed)]));
        const [low, high] = [Math.floor(Math.min(...all) * 20) / 20, Math.ceil(Math.max(...all) * 20) / 20];
        const lines = mine.map((i) => ({ values: [...model.scores(i, state.seed)], colour: data.gateColours[data.tasks[i]], label: mine.length < 5 }));
        return chart({ ...size, title: t("validation {metric}", { metric: metricName(metric) }), low, high, lines });
      });
      const entropies = here.gates.map((name, gate) => ({ values: here.entropy(state.seed, state.place, gate), colour: data.gateColours[name], label: here.gates.length < 5 }));
      drawings.push(chart({ ...size, title: t("gate entropy"), low: 0, high: 1, lines: entropies }));
      const loads = here.experts.map((_, expert) => {
        const owner = here.owners[expert];
        return { values: here.loads(state.seed, state.place, expert), faint: true, colour: owner < 0 ? undefined : data.gateColours[here.gates[owner]] };
      });
      const top = Math.max(...loads.flatMap((line) => line.values));
      const named = new Set(here.owners).size > 1;
      const last = (line) => line.values[line.values.length - 1];
      [...loads].sort((a, b) => last(b) - last(a)).slice(0, 2).forEach((line) => (line.label = short(named ? here.experts[loads.indexOf(line)] : shortName(here, loads.indexOf(line)), 8)));
      drawings.push(chart({ ...size, title: t("expert load"), margin: named ? 58 : 34, low: 0, high: Math.max(0.1, Math.ceil(top * 10) / 10), lines: loads }));
      charts.replaceChildren(...drawings.map((drawing) => drawing.node));
      if (card.off) switchTo(card.off);
    }

    function hoverEdge(edge) {
      net.mark(edge);
      const each = model.levels[edge.level];
      const weight = card.wanted[edge.level][edge.gate * each.experts.length + edge.expert];
      hint.show([number(weight, 3), edgeName(each, edge)], edge.path.getBoundingClientRect());
    }

    function hoverCell(edge, cell) {
      net.mark(edge);
      const each = model.levels[edge.level];
      const kind = { load: t("load"), worth: t("{task} without it", { task: cell.dataset.task }) }[cell.dataset.kind];
      hint.show([cell.dataset.value, kind ? `${each.experts[edge.expert]}: ${kind}` : edgeName(each, edge)], cell.getBoundingClientRect());
    }

    function toggle(i, expert) {
      const same = card.off && card.off.level === i && card.off.expert === expert;
      switchTo(same ? null : { level: i, expert });
    }

    async function switchTo(wanted) {
      card.off = wanted;
      changes = null;
      without.box.value = wanted ? `${wanted.level},${wanted.expert}` : "";
      effect.textContent = "";
      net.switchOff(wanted);
      grid.switchOff(wanted && wanted.level === l ? wanted.expert : -1);
      if (wanted) {
        const each = model.levels[wanted.level];
        if (each.hasWorth) changes = Object.fromEntries(data.tasks.map((name, i) => [name, each.worth(i, state.seed, wanted.expert)]));
        else if (ask) await askKernel(wanted);
        else effect.textContent = t("what it is worth was not recorded");
        if (card.off !== wanted) return;
        if (changes) effect.textContent = effects();
      }
      refresh(250);
      speak();
    }

    async function askKernel(wanted) {
      effect.textContent = t("computing …");
      try {
        const question = { model: model.name, seed: state.seed, level: wanted.level, expert: wanted.expert };
        const found = await ask("ablate", question, (share, text) => (effect.textContent = text));
        if (card.off === wanted) changes = found;
      } catch (error) {
        effect.textContent = error.message;
      }
    }

    function effects() {
      const unit = unitOf(model.metrics);
      const each = data.tasks.map((name) => `${name} ${signed(changes[name] * unit.scale, unit.scale > 1 ? 1 : 3)}`).join(t(", "));
      return unit.scale > 1 ? t("{changes} points of {metric}", { changes: each, metric: unit.names }) : `${each} ${unit.name}`;
    }

    function sentence() {
      const here = model.levels[l];
      const count = here.experts.length;
      const parts = here.gates.map((gate, g) => {
        const row = [...card.wanted[l].subarray(g * count, (g + 1) * count)];
        const best = row.map((weight, expert) => ({ weight, expert })).sort((a, b) => b.weight - a.weight).slice(0, 2);
        return t("{gate} listens most to {experts}", { gate, experts: best.map(({ weight, expert }) => `${here.experts[expert]} (${number(weight)})`).join(t(" and ")) });
      });
      const few = state.task >= 0 ? parts.filter((_, g) => here.gates[g] === data.tasks[state.task]) : parts.slice(0, 4);
      const off = card.off ? ` ${t("Without {expert}", { expert: model.levels[card.off.level].experts[card.off.expert] })}${changes ? `${t(": ")}${effects()}` : ""}${t(".")}` : "";
      return `${model.name}${model.levels.length > 1 ? `${t(", ")}${t("level {level}", { level: l + 1 })}` : ""}${t(": ")}${(few.length ? few : parts).join(t("; "))}${t(".")}${off}`;
    }

    chartsAnew();
    return card;
  }

  const done = onWidth(root, build);
  return () => (play.stop(), done());
}

export default { render };
