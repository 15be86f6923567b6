// The sentence inspector: a sentence, the entities in it, the doubts about each tag, and the relation of two entities.

import { asker, button, field, frame, html, number, onWidth, select, speaker, svg, t, uid, useWords } from "./base.js";

const percent = (value) => `${Math.round(100 * value)} %`;
const mix = (share, colour) => `background: color-mix(in srgb, ${colour} ${Math.round(42 * share)}%, transparent)`;
const colourOf = (kind) => (kind < 0 ? "var(--mtl-muted)" : `var(--mtl-colour-${kind})`);

function render({ model: host, el }) {
  const data = host.get("data");
  const live = host.get("live");
  useWords(data.words);
  const root = frame(el, "inspector", t("Sentence inspector"), data.colours);
  const ask = live ? asker(host) : null;
  const say = speaker(root);
  const kindNumber = new Map(data.kinds.map((kind, i) => [kind, i]));
  let shown = data.examples[0];
  let pair = shown.best;
  let asked = 0;

  const box = html("input", { type: "text", id: uid("sentence"), class: "mtl-sentence", autocomplete: "off", spellcheck: "false", disabled: !live });
  const read = button({ text: t("Read"), onPress: readTyped });
  read.disabled = !live;
  box.value = shown.text;
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    readTyped();
  });
  const example = select({
    label: t("Example"), value: 0, options: data.examples.map((each, value) => ({ value, text: each.words.join(" ") })),
    onChange: (value) => show(data.examples[Number(value)]),
  });
  const complaint = html("p", { class: "mtl-complaint", role: "status" });
  const offline = live ? null : html("p", { class: "mtl-words", text: t("Typed sentences need a running kernel; the examples work without one.") });
  const arcs = svg("svg", { class: "mtl-arcs", role: "img", height: 64 });
  const strip = html("table", { class: "mtl-tags" });
  const scroll = html("div", { class: "mtl-scroll", role: "group", tabindex: 0, "aria-label": t("words and their tags") }, arcs, strip);
  const legend = html("p", { class: "mtl-words" });
  const first = select({ label: t("Relation of"), value: "", options: [], onChange: choosePair });
  const second = select({ label: t("to"), value: "", options: [], onChange: choosePair });
  const swap = button({ text: "⇄", label: t("Swap the two entities"), onPress: () => {
    [first.box.value, second.box.value] = [second.box.value, first.box.value];
    choosePair();
  } });
  const bars = html("table", { class: "mtl-relations" });
  const relation = html("div", { class: "mtl-relation" }, html("div", { class: "mtl-controls" }, first.node, second.node, swap), bars);
  root.append(
    html("div", { class: "mtl-controls" }, field(t("Sentence"), box), read, example.node), complaint, ...(offline ? [offline] : []),
    html("div", { class: "mtl-beside" }, scroll, relation), legend, transitions(),
  );

  async function readTyped() {
    if (!live) return;
    const mine = (asked += 1);
    complaint.textContent = t("Reading …");
    try {
      const answer = await ask("inspect", { text: box.value });
      if (mine === asked) show(answer, false);
    } catch (error) {
      if (mine === asked) complaint.textContent = error.message;
    }
  }

  function show(sentence, copy = true) {
    asked += 1; // an answer still on its way is for another sentence
    shown = sentence;
    pair = sentence.best;
    complaint.textContent = "";
    if (copy) box.value = sentence.text;
    draw();
  }

  const nameOf = (span) => shown.words.slice(span[0], span[1]).join(" ");

  function draw() {
    drawStrip();
    fillChoices();
    drawRelations();
    drawArcs();
    const unknown = shown.unknown.filter(Boolean).length;
    legend.textContent = [
      t("Shade and number: how probable each tag is for each word, over all tag sequences (100 = certain). Frames: the best sequence."),
      unknown ? t("Words with ? were not seen in training: all are read as the one word [unknown].") : t("All words were seen in training."),
      shown.note,
    ].join(" ");
    say(summary());
  }

  function summary() {
    const found = shown.spans.map((span) => `${nameOf(span)}${t(", ")}${span[2]}`).join(t("; ")) || t("no entities");
    if (pair < 0) return `${found}${t(".")} ${t("Fewer than two entities: no relation to ask for.")}`;
    const each = shown.pairs[pair];
    const top = each.probabilities.indexOf(Math.max(...each.probabilities));
    return `${found}${t(".")} ${t("Relation of {first} to {second}: {relation}, {chance}.", {
      first: nameOf(shown.spans[each.first]), second: nameOf(shown.spans[each.second]), relation: data.relations[top], chance: percent(each.probabilities[top]),
    })}`;
  }

  function drawStrip() {
    const owner = shown.words.map((_, at) => shown.spans.findIndex((span) => span[0] <= at && at < span[1]));
    const words = shown.words.map((word, at) => {
      const kind = owner[at] < 0 ? -1 : kindNumber.get(shown.spans[owner[at]][2]);
      const mark = shown.unknown[at] ? html("span", { class: "mtl-unknown", title: t("not seen in training"), text: "?" }, html("span", { class: "mtl-unseen", text: ` ${t("unknown word")}` })) : null;
      return html("th", { scope: "col", class: kind < 0 ? null : "is-entity", style: `--c: ${colourOf(kind)}` }, word, mark);
    });
    const rows = data.tags.map((tag, row) => html("tr", {},
      html("th", { scope: "row", text: tag }),
      shown.words.map((_, at) => {
        const chance = shown.marginals[at][row];
        const best = shown.tags[at] === row;
        const text = chance >= 0.005 ? String(Math.round(100 * chance)) : "";
        return html("td", { class: best ? "is-best" : null, style: mix(chance, colourOf(data.tagKinds[row])), "data-chance": chance, text },
          best ? html("span", { class: "mtl-unseen", text: ` ${t("chosen")}` }) : null);
      })));
    strip.replaceChildren(
      html("caption", { class: "mtl-unseen", text: t("Probability of each tag at each word, in percent") }),
      html("thead", {}, html("tr", {}, html("td"), words)), html("tbody", {}, rows),
    );
  }

  function fillChoices() {
    const count = shown.pairs.length ? 1 + Math.max(...shown.pairs.map((each) => each.first)) : 0;
    for (const [each, side] of [[first, "first"], [second, "second"]]) {
      each.box.replaceChildren(...shown.spans.slice(0, count).map((span, i) => html("option", { value: i, text: nameOf(span) })));
      each.box.disabled = !count;
      if (count) each.box.value = shown.pairs[pair][side];
    }
    swap.disabled = !count;
  }

  function choosePair() {
    const [i, j] = [Number(first.box.value), Number(second.box.value)];
    if (i === j) { // the one just chosen stays; the other takes the place it left
      const old = shown.pairs[pair];
      if (i === old.second) second.box.value = old.first;
      else first.box.value = old.second;
    }
    pair = shown.pairs.findIndex((each) => each.first === Number(first.box.value) && each.second === Number(second.box.value));
    drawRelations();
    drawArcs();
    say(summary());
  }

  function drawRelations() {
    const chances = pair < 0 ? [] : shown.pairs[pair].probabilities;
    const most = Math.max(...chances);
    const text = pair < 0 ? t("Fewer than two entities: no relation to ask for.") : t("Probability of each relation");
    bars.replaceChildren(
      html("caption", { text }),
      html("tbody", {}, chances.map((chance, r) => html("tr", { class: chance === most ? "is-best" : null },
        html("th", { scope: "row", text: data.relations[r] }),
        html("td", {}, html("span", { class: "mtl-bar", style: `width: ${Math.max(1, 100 * chance)}%` })),
        html("td", { text: percent(chance), "data-chance": chance })))),
    );
    if (pair < 0) bars.append(html("tbody", {}, html("tr", {}, html("th", { scope: "row", text: "–" }))));
  }

  // Over the words: a bar an entity, and an arrow from the first of the pair to the second.
  function drawArcs() {
    const cells = [...strip.querySelectorAll("thead th")];
    const width = strip.offsetWidth;
    const { left, width: drawn } = strip.getBoundingClientRect();
    const zoom = drawn / width || 1; // on a slide the widget is drawn larger
    const edges = (cell) => cell.getBoundingClientRect();
    const places = shown.spans.map(([start, stop]) => [(edges(cells[start]).left - left) / zoom + 3, (edges(cells[stop - 1]).right - left) / zoom - 3]);
    arcs.setAttribute("width", width);
    arcs.setAttribute("viewBox", `0 0 ${width} 64`);
    arcs.setAttribute("aria-label", summary());
    arcs.replaceChildren();
    let free = 0; // names of types that stand close are moved apart
    shown.spans.forEach((span, i) => {
      const [from, to] = places[i];
      const half = 3.9 * span[2].length;
      const x = Math.max((from + to) / 2, free + half);
      free = x + half + 8;
      svg("line", { class: "mtl-span", x1: from, x2: to, y1: 60, y2: 60, style: `--c: ${colourOf(kindNumber.get(span[2]))}`, "data-kind": span[2] }, arcs);
      svg("text", { class: "mtl-kind", x, y: 53, "text-anchor": "middle", text: span[2] }, arcs);
    });
    if (pair < 0) return;
    const each = shown.pairs[pair];
    const [from, to] = [each.first, each.second].map((i) => (places[i][0] + places[i][1]) / 2);
    const top = each.probabilities.indexOf(Math.max(...each.probabilities));
    const head = from < to ? -7 : 7;
    svg("path", { class: "mtl-arc", d: `M${from} 40V22H${to}V38` }, arcs);
    svg("path", { class: "mtl-arrow", d: `M${to - 5} 33L${to} 40L${to + 5} 33Z` }, arcs);
    svg("text", { class: "mtl-value", x: (from + to) / 2 + head, y: 15, "text-anchor": "middle", text: `${data.relations[top]} ${percent(each.probabilities[top])}` }, arcs);
  }

  function transitions() {
    const { transitions: scores, start, end } = data.field;
    if (!scores) return html("div");
    const all = [...scores.flat(), ...start, ...end];
    const most = Math.max(...all.map(Math.abs)) || 1;
    const cell = (value) => html("td", { style: mix(Math.abs(value) / most, value < 0 ? "var(--mtl-colour-low)" : "var(--mtl-colour-high)"), text: number(value, 1) });
    const names = [...data.tags, t("end")];
    const rows = [[t("start"), start, null], ...data.tags.map((tag, i) => [tag, scores[i], end[i]])];
    const scroll = html("div", { class: "mtl-scroll", role: "group", tabindex: 0, "aria-label": t("transition scores") }, html("table", { class: "mtl-transitions" },
      html("caption", { text: t("Transitions: score of a tag (column) after a tag (row); below 0 the field avoids it") }),
      html("thead", {}, html("tr", {}, html("td"), names.map((name) => html("th", { scope: "col", text: name })))),
      html("tbody", {}, rows.map(([name, values, last]) => html("tr", {}, html("th", { scope: "row", text: name }), values.map(cell), last === null ? html("td") : cell(last))))));
    return html("details", { class: "mtl-field-scores", open: live }, html("summary", { text: t("transition scores") }), scroll);
  }

  return onWidth(root, draw);
}

export default { render };
