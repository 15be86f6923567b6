// Problems of a widget for those who cannot see it well or cannot use a mouse, in words. Covers what axe-core calls
// serious and can occur here: names, roles and their states, references, order of focus, contrast.
(selector) => {
  const problems = [];
  const root = document.querySelector(selector);
  const hidden = (node) => node.closest("[aria-hidden='true']") || !node.getClientRects().length;
  const all = [...root.querySelectorAll("*")].filter((node) => !hidden(node));
  const where = (node) => `<${node.tagName.toLowerCase()} class="${node.getAttribute("class") ?? ""}"> "${(node.textContent ?? "").trim().slice(0, 30)}"`;
  const named = (node) => node.getAttribute("aria-label")?.trim() || node.labels?.[0]?.textContent.trim()
    || (node.matches("button, th, [role='status']") && node.textContent.trim()) || node.closest("label")?.textContent.trim();
  const states = { switch: ["aria-checked"], progressbar: ["aria-valuenow"], slider: ["aria-valuenow"] };
  const roles = ["group", "img", "switch", "status", "tooltip", "progressbar"];

  for (const node of all) {
    const role = node.getAttribute("role");
    if (role && !roles.includes(role)) problems.push(`unexpected role ${role}: ${where(node)}`);
    for (const state of states[role] ?? []) if (!node.hasAttribute(state)) problems.push(`role ${role} without ${state}: ${where(node)}`);
    if (node.matches("button, select, input, [tabindex], [role='img'], [role='group'], [role='switch'], article, section") && !named(node)) problems.push(`no name: ${where(node)}`);
    if (node.matches("svg") && !role) problems.push(`picture without a role: ${where(node)}`);
    if (Number(node.getAttribute("tabindex")) > 0) problems.push(`tabindex above 0: ${where(node)}`);
    if (node.id && document.querySelectorAll(`#${CSS.escape(node.id)}`).length > 1) problems.push(`id twice: ${node.id}`);
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
      const wanted = node.getAttribute(name);
      if (wanted && !document.getElementById(wanted)) problems.push(`${name} points nowhere: ${where(node)}`);
    }
    if (node.matches("table") && !(node.caption && node.querySelector("th[scope]"))) problems.push(`table without caption or headers: ${where(node)}`);
    if (node.matches("fieldset") && !node.querySelector("legend")) problems.push(`fieldset without legend: ${where(node)}`);
  }
  if (!root.querySelector("[aria-live]")) problems.push("nothing is spoken when the widget changes");

  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  function rgba(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  function paper(node) {
    const layers = [];
    for (let each = node; each; each = each.parentElement) {
      layers.push(rgba(getComputedStyle(each).backgroundColor));
      if (layers[layers.length - 1][3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  }
  const channel = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const seen = [...root.querySelectorAll("*")].filter((node) => node.getClientRects().length && !node.closest(".mtl-unseen, .mtl-tip"));
  for (const node of seen) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) continue;
    if (node.matches("option, optgroup")) continue;
    const style = getComputedStyle(node);
    const svg = node instanceof SVGElement;
    const box = svg ? node.parentNode.querySelector(":scope > rect") : null; // the box a label stands in
    const below = paper(svg ? node.closest("svg").parentElement : node);
    const under = box && !node.matches(".mtl-small") ? over(rgba(getComputedStyle(box).fill), below) : below;
    const ink = over(rgba(svg ? style.fill : style.color), under);
    const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) problems.push(`contrast ${ratio.toFixed(2)}: ${where(node)}`);
    if (parseFloat(style.fontSize) < 12) problems.push(`letters of ${style.fontSize}: ${where(node)}`);
  }
  return [...new Set(problems)];
}
