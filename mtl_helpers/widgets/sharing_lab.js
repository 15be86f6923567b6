// The sharing lab: three sliders, a button that trains, and what sharing does to both tasks.

import { asker, button, clamp, frame, html, number, onWidth, progressBar, signed, slider, speaker, svg, t, useWords } from "./base.js";

const SETTING = ["correlation", "rows", "penalty"];
const NAMES = { correlation: () => t("Cosine p"), rows: () => t("Training rows"), penalty: () => t("Penalty") };
const VERDICTS = {
  helps: (task, effect) => t("helps {task} ({effect})", { task, effect }),
  hurts: (task, effect) => t("hurts {task} ({effect})", { task, effect }),
  undecided: (task, effect) => t("undecided on {task} ({effect})", { task, effect }),
};
const SHORT = { helps: () => t("helps"), hurts: () => t("hurts"), undecided: () => t("undecided") };
const ROW = 44;
const [NAMED, UNNAMED] = [104, 12]; // room left of a chart, with and without the models' names

const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
const say = {
  correlation: (value) => `${value > 0 ? "+" : ""}${number(value, 1)}`,
  rows: count,
  penalty: String,
};
const same = (one, other) => SETTING.every((name) => Math.abs(one[name] - other[name]) < 1e-9);
const inWords = (at) => t("p = {p}, {rows} rows, penalty {penalty}", { p: say.correlation(at.correlation), rows: count(at.rows), penalty: at.penalty });
const readable = (task) => task.replaceAll("_", " ");

async function render({ model: host, el }) {
  const data = host.get("data");
  useWords(data.words);
  const ask = host.get("live") ? asker(host) : null;
  const root = frame(el, "sharing", t("Sharing lab"), data.colours);
  const speak = speaker(root);
  // Without a kernel only what was recorded can be shown.
  const recordedValues = (name) => [...new Set(data.recorded.map((each) => each[name]))].sort((a, b) => a - b);
  const lists = ask ? data.lists : Object.fromEntries(SETTING.map((name) => [name, recordedValues(name)]));
  const now = { ...data.start };
  let shown = data.recorded.find((each) => same(each, now));
  let before = null;
  let training = false;
  let charts = [];

  const sliders = SETTING.map((name) => slider({
    label: NAMES[name](), low: 0, high: lists[name].length - 1, value: nearest(lists[name], now[name]),
    say: (at) => say[name](lists[name][at]),
    onInput: (at) => ((now[name] = lists[name][at]), moved()),
  }));
  const train = button({ text: t("Train"), onPress: learn });
  train.classList.add("mtl-train");
  const bar = progressBar();
  const title = html("p", { class: "mtl-trained" });
  const deck = html("div", { class: "mtl-results" });
  const words = html("p", { class: "mtl-words" });
  const key = html("p", { class: "mtl-key", text: t("Small dots: seeds. Diamond and bar: their mean and its 95 % interval. Numbers: difference to the baseline and its interval. Ring: the mean before.") });
  const changeable = sliders.filter((_, i) => lists[SETTING[i]].length > 1);
  root.append(html("div", { class: "mtl-sliders" }, changeable.map((each) => each.node)),
    html("div", { class: "mtl-bar" }, ask ? train : null, bar.node, title), deck, key, words);

  function nearest(list, value) {
    return list.reduce((best, each, i) => (Math.abs(each - value) < Math.abs(list[best] - value) ? i : best), 0);
  }

  function moved() {
    if (!ask) {
      const found = data.recorded.find((each) => same(each, now));
      if (found) show(found);
      else title.textContent = t("{setting}: not recorded", { setting: inWords(now) });
      return;
    }
    mark();
  }

  // What is drawn belongs to the setting it was trained on; it turns pale once the sliders say another one.
  function mark() {
    const stale = !same(shown, now);
    deck.classList.toggle("is-stale", stale);
    const took = shown.seconds === undefined ? t("recorded") : t("trained in {seconds} s", { seconds: number(shown.seconds, 1) });
    const result = t("{setting}, {seeds} seeds, {took}", { setting: inWords(shown), seeds: shown.seeds, took });
    title.textContent = stale ? t("{result}. Press Train for the new setting.", { result }) : result;
  }

  async function learn() {
    if (training) return;
    training = true;
    train.setAttribute("aria-disabled", "true");
    root.setAttribute("aria-busy", "true");
    const wanted = { ...now };
    try {
      bar.show(0, t("waiting for the kernel"));
      const found = await ask("train", wanted, (share, text) => bar.show(share, `${text}, ${Math.round(100 * share)} %`));
      show(found);
    } catch (error) {
      words.textContent = error.message;
      speak(error.message);
    } finally {
      training = false;
      bar.hide();
      train.removeAttribute("aria-disabled");
      root.removeAttribute("aria-busy");
    }
  }

  function show(found) {
    before = shown;
    shown = found;
    for (const chart of charts) chart();
    mark();
    words.textContent = sentence();
    speak(`${inWords(shown)}${t(".")} ${words.textContent}`);
  }

  function sentence() {
    const others = data.models.map((name, m) => ({ name, m })).filter(({ m }) => m !== data.baseline);
    const parts = others.map(({ name, m }) => {
      const each = data.tasks.map((task, k) => {
        const own = shown.tasks[k].models[m];
        return VERDICTS[own.verdict](readable(task), signed(own.effect[0]));
      });
      return `${name} ${each.join(t(", "))}`;
    });
    return t("Against {baseline}: {effects}.", { baseline: data.models[data.baseline], effects: parts.join(t("; ")) });
  }

  function build(width) {
    const wide = width > 760;
    const inner = width - 6;
    // Side by side only the first chart names the models; it is wider by that much, so that both have one scale.
    const half = (k) => Math.floor((inner - 24 + (k ? UNNAMED - NAMED : NAMED - UNNAMED)) / 2);
    charts = data.tasks.map((task, k) => plot(task, k, wide ? half(k) : inner, wide && k > 0));
    for (const chart of charts) chart();
    mark();
    words.textContent = sentence();
  }

  // One task: a row a model, small dots the seeds, a diamond their mean with its interval, a ring the mean before.
  function plot(task, k, width, unnamed) {
    const height = 46 + ROW * data.models.length + 40;
    const node = svg("svg", { class: "mtl-effects", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
    if (k === 0) deck.replaceChildren();
    deck.append(node);
    const [left, right, top, bottom] = [unnamed ? UNNAMED : NAMED, width - 132, 46, height - 40];
    const every = [...data.recorded, shown].flatMap((each) => each.tasks.flatMap((one) => one.models.flatMap((own) => own.mean)));
    const [low, high] = [0.4, clamp(Math.max(...every) + 0.05, 1.1, 1.4)];
    const x = (value) => left + ((right - left) * (clamp(value, low, high) - low)) / (high - low);
    const style = `--c: var(--mtl-colour-${data.models.length + k})`;
    svg("text", { class: "mtl-name mtl-task", style, x: left, y: 14, text: readable(task) }, node);
    for (let tick = low; tick < high + 0.01; tick += 0.2) {
      svg("line", { class: "mtl-axis", x1: x(tick), x2: x(tick), y1: top - 8, y2: bottom }, node);
      svg("text", { class: "mtl-small", x: x(tick), y: bottom + 17, "text-anchor": "middle", text: number(tick, 1) }, node);
    }
    svg("text", { class: "mtl-small", x: (left + right) / 2, y: bottom + 35, "text-anchor": "middle", text: t("test error (1: guessing the mean)") }, node);
    const best = svg("line", { class: "mtl-best", y1: top - 12, y2: bottom }, node);
    const bestName = svg("text", { class: "mtl-small", y: top - 16, "text-anchor": "start" }, node);
    const rows = data.models.map((name, m) => {
      const y = top + ROW * (m + 0.5);
      const group = svg("g", { style: `--c: var(--mtl-colour-${m})` }, node);
      if (!unnamed) svg("text", { class: "mtl-name", x: left - 10, y: y + 4.5, "text-anchor": "end", text: name }, group);
      const dots = shown.tasks[k].models[m].values.map(() => svg("circle", { class: "mtl-seed", cy: y, r: 3.5 }, group));
      const ghost = svg("circle", { class: "mtl-ghost", cy: y, r: 8 }, group);
      const line = svg("line", { class: "mtl-interval", y1: y, y2: y }, group);
      const mean = svg("path", { class: "mtl-mean" }, group);
      const effect = svg("text", { class: "mtl-value", x: right + 12, y: y - 2 }, group);
      const interval = svg("text", { class: "mtl-small", x: right + 12, y: y + 14 }, group);
      return { group, y, dots, ghost, line, mean, effect, interval };
    });
    return () => {
      const { best: reachable, models } = shown.tasks[k];
      for (const name of ["x1", "x2"]) best.setAttribute(name, x(reachable));
      bestName.setAttribute("x", x(reachable));
      bestName.textContent = t("best reachable {value}", { value: number(reachable) });
      rows.forEach((row, m) => {
        const own = models[m];
        const old = before && before.tasks[k].models[m];
        row.dots.forEach((dot, i) => dot.setAttribute("cx", x(own.values[i] ?? own.mean[0])));
        row.line.setAttribute("x1", x(own.mean[1]));
        row.line.setAttribute("x2", x(own.mean[2]));
        row.mean.setAttribute("d", `M${x(own.mean[0]) - 7} ${row.y}l7 -7l7 7l-7 7z`);
        row.ghost.setAttribute("visibility", old ? "visible" : "hidden");
        row.ghost.setAttribute("cx", x(old ? old.mean[0] : low));
        row.group.dataset.model = data.models[m];
        row.group.dataset.mean = number(own.mean[0], 4).replace("−", "-");
        row.effect.textContent = own.effect ? `${signed(own.effect[0])} ${SHORT[own.verdict]()}` : number(own.mean[0]);
        row.interval.textContent = own.effect ? t("{low} to {high}", { low: signed(own.effect[1]), high: signed(own.effect[2]) }) : t("baseline");
      });
      const spoken = data.models.map((name, m) => `${name} ${number(models[m].mean[0])}${models[m].verdict ? `${t(", ")}${SHORT[models[m].verdict]()}` : ""}`);
      node.setAttribute("aria-label", t("{task}, test error: {errors}; best reachable {value}", { task: readable(task), errors: spoken.join(t("; ")), value: number(reachable) }));
    };
  }

  return onWidth(root, build);
}

export default { render };
