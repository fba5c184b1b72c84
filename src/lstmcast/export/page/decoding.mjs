// From a network and a series to quantiles at some origins.
// lstmcast/decoding/along.py, feeding.py and intermittent.py have the reasons and the names.

import { LOG, ROOT, axisInForce, unitOf } from "./axis.mjs";
import { seasonsOf, shortestSeason, startOf } from "./context.mjs";
import { Inputs, inUnits, placed, stretched } from "./inputs.mjs";
import { ascending, clip, counting, isKnown, sum } from "./numbers.mjs";
import { ownPeriod } from "./periods.mjs";

const MIDDLE = 3;
export const LEVELS = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
const FEWEST_GROWN = 4;
const NEWEST = 56;
const FEWEST = 16;
const SOME_ZEROS = 0.4;
const MOST_ZEROS = 0.8;
const AGREEMENT = 0.3;

/** How an origin is read: from where, on which axis, with which periods. */
export function readingOf(panel, count) {
  const first = startOf(count, panel.periods);
  const axis = axisInForce(panel.values, first, count, panel.periods);
  const own = ownPeriod(panel, first, count);
  return { first, axis, periods: own ? [own] : panel.periods, own };
}

/** Quantiles of `horizon` steps after each origin, which is a number of known values. */
export function decode(network, panel, counts, horizon) {
  const readings = counts.map((count) => readingOf(panel, count));
  return readAlong(network, panel, counts, readings, horizon);
}

/** The same for origins of which it is known how they are read: each context is read once. */
export function readAlong(network, panel, counts, readings, horizon) {
  const results = new Array(counts.length);
  const groups = new Map();
  readings.forEach((reading, o) => {
    const key = `${reading.first} ${reading.axis} ${reading.periods}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(o);
  });
  for (const places of groups.values()) {
    readGroup(network, panel, counts, readings[places[0]], places, horizon, results);
  }
  return results;
}

function readGroup(network, panel, counts, reading, places, horizon, results) {
  const last = Math.max(...places.map((o) => counts[o]));
  const segment = panel.values.slice(reading.first, last);
  const { axis, periods } = reading;
  const unit = unitOf(segment, axis);
  const { family } = panel;
  const inputs = new Inputs({ periods, family, axis, unit, horizon: network.horizon });
  const effects = axis === ROOT || !panel.effects ? null : panel.effects(axis === LOG);
  const origins = new Map(places.map((o) => [counts[o], o]));
  let states = network.start();
  segment.forEach((value, t) => {
    const place = reading.first + t;
    inputs.advance(value, effects && effects.at(place, network.horizon));
    let hidden = null;
    if (inputs.begun) ({ hidden, states } = network.step(inputs.x, states));
    const o = origins.get(place + 1);
    if (o === undefined) return;
    const state = { inputs, hidden, states };
    results[o] = inputs.begun
      ? answered(network, panel, reading, state, counts[o], horizon, effects)
      : counting(horizon).map(() => LEVELS.map(() => lastKnown(panel.values, counts[o])));
  });
}

function lastKnown(values, count) {
  let place = count - 1;
  while (place >= 0 && !isKnown(values[place])) place -= 1;
  return place < 0 ? NaN : values[place];
}

/** The answer at an origin, in the units of the data. */
function answered(network, panel, reading, state, count, horizon, effects) {
  const { known, unit } = state.inputs;
  let own = state;
  if (horizon > network.horizon) {
    own = { ...state, inputs: state.inputs.clone() };
    if (effects) {
      const ahead = effects.ahead(count - 1, horizon + network.horizon);
      own.inputs.ahead = ahead.map((effect) => effect / unit);
    }
  }
  const rows = answersFrom(network, own, horizon);
  const values = inUnits(rows, known, reading.axis, unit);
  if (reading.axis !== ROOT) return values;
  const first = Math.max(reading.first, count - NEWEST);
  const newest = panel.values.slice(first, count);
  return withOwnPast(values, newest, shortestSeason(reading.periods) || 1);
}

/** Answers on the reading axis: each block of steps follows from those before. */
function answersFrom(network, state, horizon) {
  let { hidden, states } = state;
  const { inputs } = state;
  let block = placed(network.answer(hidden, inputs.x), inputs.known);
  const growth = growthOf(block, seasonsOf(inputs.periods));
  const rows = stretched(block, inputs.widths.ahead(network.horizon));
  while (rows.length < horizon) {
    for (const row of block) {
      inputs.feed(row[MIDDLE]);
      ({ hidden, states } = network.step(inputs.x, states));
    }
    const answer = placed(network.answer(hidden, inputs.x), inputs.known);
    const before = block.at(-1);
    const done = rows.length;
    block = answer.map((row, h) => widened(row, before, spreadAt(growth, done + 1 + h)));
    rows.push(...stretched(block, inputs.widths.ahead(network.horizon)));
  }
  return rows.slice(0, horizon);
}

/** How the errors of a head grow over its steps, and so beyond them. */
function growthOf(block, periods) {
  const steps = block.length;
  const distance = block.map((row) => row.map((value) => Math.abs(value - row[MIDDLE])));
  const cycle = Math.max(1, ...periods);
  const span = Math.floor(Math.floor(steps / 2) / cycle) * cycle;
  if (span < FEWEST_GROWN) return { end: distance.at(-1), step: steps, power: 0 };
  const later = counting(span).map((k) => steps - span + k);
  const earlier = later.map((h) => h - span);
  const mean = (places, of) => sum(places.map(of)) / span;
  const logarithm = (h) => Math.log(h + 1);
  const width = (h) => sum(distance[h]);
  const apart = mean(later, logarithm) - mean(earlier, logarithm);
  const grown = Math.log(mean(later, width) / mean(earlier, width)) / apart;
  const end = LEVELS.map((_, q) => mean(later, (h) => distance[h][q]));
  const power = Number.isFinite(grown) ? clip(grown, 0, 1) : 0;
  return { end, step: Math.exp(mean(later, logarithm)), power };
}

function spreadAt({ end, step, power }, ahead) {
  const times = power > 0 ? (ahead / step) ** power : 0;
  return end.map((distance) => distance * times);
}

/** Quantiles as wide as their own errors and those before them together, and at least `least`. */
function widened(row, before, least) {
  return row.map((value, q) => {
    const own = value - row[MIDDLE];
    const spread = Math.hypot(own, before[q] - before[MIDDLE]);
    return row[MIDDLE] + Math.sign(q - MIDDLE) * Math.max(spread, least[q]);
  });
}

/** Quantiles averaged with those of the newest values, where these are mostly 0. */
export function withOwnPast(rows, newest, season) {
  const values = newest.filter(isKnown);
  const share = values.filter((value) => value === 0).length / Math.max(values.length, 1);
  const weight = clip((share - SOME_ZEROS) / (MOST_ZEROS - SOME_ZEROS), 0, 1);
  const usable = values.length >= FEWEST && weight > 0;
  if (!usable || comeWithSeason(newest, season)) return rows;
  const ordered = ascending(values);
  const own = LEVELS.map((level) => ordered[Math.max(Math.ceil(level * ordered.length) - 1, 0)]);
  return rows.map((row) => row.map((value, q) => (1 - weight) * value + weight * own[q]));
}

/** Whether zeros come with the season, or could without being seen. */
function comeWithSeason(newest, season) {
  if (season === 1) return false;
  if (2 * season > newest.length) return true;
  const pairs = newest.slice(season).map((value, t) => [value, newest[t]]);
  const both = pairs.filter(([now, before]) => isKnown(now) && isKnown(before));
  const count = Math.max(both.length, 1);
  const zero = (value) => value === 0;
  const same = both.filter(([now, before]) => zero(now) === zero(before)).length / count;
  const now = both.filter((pair) => zero(pair[0])).length / count;
  const before = both.filter((pair) => zero(pair[1])).length / count;
  const chance = now * before + (1 - now) * (1 - before);
  return same - chance > AGREEMENT * (1 - chance);
}
