// A gate record in the browser: numbers by name instead of by position in a long array.

import { unpack } from "./base.js";

export async function readRecords(data) {
  const models = await Promise.all(data.models.map((model) => readModel(model, data)));
  return { ...data, models };
}

async function readModel(model, data) {
  const levels = await Promise.all(model.levels.map((level) => readLevel(level)));
  const scores = await unpack(model.scores);
  const seeds = data.seeds.length;
  const epochs = data.epochs.length;
  return {
    ...model,
    levels,
    // a task's validation metric after each epoch
    scores: (task, seed) => scores.values.subarray((task * seeds + seed) * epochs, (task * seeds + seed + 1) * epochs),
  };
}

async function readLevel(level) {
  const { shape, values } = await unpack(level.weights); // seeds, places, gates, experts, epochs
  const change = level.ablation ? await unpack(level.ablation) : null; // tasks, seeds, experts
  const [, places, gates, experts, epochs] = shape;
  const start = (seed, place) => (seed * places + place) * gates * experts * epochs;
  const reach = Array.from({ length: gates }, (_, gate) => Array.from({ length: experts }, (_, expert) => reaches(gate, expert)));
  function reaches(gate, expert) {
    return level.owners[expert] === -1 || level.owners[expert] === gate || level.gates[gate] === "shared";
  }

  // Weights [gates * experts] as they are drawn. A gate shares what a switched-off expert had among the others, in
  // proportion, as its softmax does for a single row.
  function weights(seed, place, epoch, off = -1) {
    const found = new Float32Array(gates * experts);
    const from = start(seed, place);
    for (let i = 0; i < found.length; i += 1) found[i] = values[from + i * epochs + epoch];
    for (let gate = 0; off >= 0 && gate < gates; gate += 1) {
      const rest = 1 - found[gate * experts + off];
      for (let expert = 0; expert < experts; expert += 1) {
        const i = gate * experts + expert;
        found[i] = expert === off ? 0 : rest > 1e-3 ? found[i] / rest : 0;
      }
    }
    return found;
  }

  // Entropy of a gate's weights after each epoch, divided by that of equal weights over the experts it reaches.
  function entropy(seed, place, gate) {
    const from = start(seed, place) + gate * experts * epochs;
    const most = Math.log(reach[gate].filter(Boolean).length) || 1;
    return Array.from({ length: epochs }, (_, epoch) => {
      let sum = 0;
      for (let expert = 0; expert < experts; expert += 1) {
        const weight = values[from + expert * epochs + epoch];
        if (weight > 0) sum -= weight * Math.log(weight);
      }
      return Math.min(1, sum / most);
    });
  }

  // Mean weight of each expert over the gates: [experts] at one epoch.
  function load(shown) {
    const found = new Float32Array(experts);
    for (let i = 0; i < shown.length; i += 1) found[i % experts] += shown[i] / gates;
    return found;
  }

  function loads(seed, place, expert) {
    const from = start(seed, place);
    return Array.from({ length: epochs }, (_, epoch) => {
      let sum = 0;
      for (let gate = 0; gate < gates; gate += 1) sum += values[from + (gate * experts + expert) * epochs + epoch];
      return sum / gates;
    });
  }

  const seeds = shape[0];
  const worth = (task, seed, expert) => (change ? change.values[(task * seeds + seed) * experts + expert] : null);
  return { ...level, reach, weights, entropy, load, loads, worth, hasWorth: change !== null };
}

// "expert 3" -> "3": what is left of a name once its owner or a plain word stands elsewhere.
export function shortName(level, expert) {
  const name = level.experts[expert];
  const owner = ownerName(level, expert);
  for (const start of [`${owner} `, "expert "]) if (name.startsWith(start)) return name.slice(start.length);
  return name;
}

export const ownerName = (level, expert) => (level.owners[expert] >= 0 ? level.gates[level.owners[expert]] : "shared");

// Experts in the order of drawing: private ones beside the gate they serve, shared ones in the middle.
export function expertGroups(level) {
  const order = gateOrder(level);
  const middle = order.filter((gate) => level.gates[gate] !== "shared");
  const owners = [...middle.slice(0, Math.ceil(middle.length / 2)), -1, ...middle.slice(Math.ceil(middle.length / 2))];
  const members = (owner) => level.experts.map((_, i) => i).filter((i) => level.owners[i] === owner);
  return owners.map((owner) => ({ owner, experts: members(owner) })).filter((group) => group.experts.length);
}

export function gateOrder(level) {
  const tasks = level.gates.map((_, i) => i).filter((i) => level.gates[i] !== "shared");
  const shared = level.gates.indexOf("shared");
  if (shared < 0) return tasks;
  const half = Math.ceil(tasks.length / 2);
  return [...tasks.slice(0, half), shared, ...tasks.slice(half)];
}
