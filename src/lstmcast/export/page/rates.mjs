// Far horizons at several rates: the network that reads hours reads means over 4 and 12 hours too.
// lstmcast/decoding/rates.py has the reasons and the names.

import { LINEAR, LOG, ROOT } from "./axis.mjs";
import { seasonsOf } from "./context.mjs";
import { LEVELS, readAlong, readingOf } from "./decoding.mjs";
import { counting, isKnown, sum } from "./numbers.mjs";

const PHASES = 24;
const SLOWER = 4;
const APART = 3;
const NEAREST = 4;
const FEWEST_MEANS = 16;
const MIDDLE = LEVELS.indexOf(0.5);

/** Over how many steps means are taken. */
export function ratesOf(periods, steps, horizon) {
  const season = seasonsOf(periods).find((m) => m >= PHASES) ?? 0;
  const chosen = [];
  const most = Math.min(season, Math.floor(horizon / NEAREST));
  for (let k = SLOWER; k <= most; k += 1) {
    if (season % k === 0 && k >= APART * (chosen.at(-1) ?? 0)) chosen.push(k);
  }
  return horizon > steps ? chosen : [];
}

/** Answers that were fed back, moved to the levels that slower rates foretell. */
export function atSeveralRates(network, panel, counts, answers, horizon) {
  const rates = ratesOf(panel.periods, network.horizon, horizon);
  if (!rates.length) return answers;
  const readings = counts.map((count) => readingOf(panel, count));
  const moved = counting(counts.length).filter((o) => {
    return readings[o].own === 0 && readings[o].axis !== ROOT;
  });
  const gaps = rates.map((k) => {
    const farthest = k === rates.at(-1) ? horizon : k * network.horizon;
    const count = Math.floor(Math.min(farthest, horizon) / k);
    return { k, farthest, means: foretold(network, panel, counts, readings, moved, k, count) };
  });
  const result = [...answers];
  moved.forEach((o, place) => {
    const own = gaps.map((gap) => ({ ...gap, means: gap.means[place] }));
    result[o] = movedTo(answers[o], own, readings[o].axis === LOG, network.horizon);
  });
  return result;
}

/** The next means over k steps, after each of some origins; null where too few were read. */
function foretold(network, panel, counts, readings, moved, k, count) {
  const groups = new Map();
  moved.forEach((o, place) => {
    const { first, axis } = readings[o];
    const read = counts[o] - first;
    if (Math.floor(read / k) < FEWEST_MEANS) return;
    const key = `${first + (read % k)} ${axis}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(place);
  });
  const result = new Array(moved.length).fill(null);
  for (const [key, places] of groups) {
    const [begin, axis] = key.split(" ").map(Number);
    const slow = slowed(panel, begin, Math.max(...places.map((p) => counts[moved[p]])), k);
    const own = places.map((p) => (counts[moved[p]] - begin) / k);
    const reading = { first: 0, axis: axis === LOG ? LOG : LINEAR, periods: slow.periods };
    const answers = readAlong(network, slow, own, own.map(() => reading), count);
    places.forEach((p, at) => {
      result[p] = answers[at].map((row) => row[MIDDLE]);
    });
  }
  return result;
}

function slowed(panel, begin, end, k) {
  const values = counting((end - begin) / k).map((m) => {
    const part = panel.values.slice(begin + m * k, begin + (m + 1) * k).filter(isKnown);
    return 2 * part.length >= k ? sum(part.map((value) => value / part.length)) : NaN;
  });
  const periods = panel.periods.filter((m) => m % k === 0 && m > k).map((m) => m / k);
  return { ...panel, values, periods: periods.length ? periods : [1], effects: null };
}

/** Quantiles moved by what the rates say, the more the farther they lie ahead. */
function movedTo(rows, gaps, isLog, steps) {
  const horizon = rows.length;
  const shape = rows.map((row) => row[MIDDLE]);
  const moved = new Array(horizon).fill(0);
  const weight = new Array(horizon).fill(0);
  for (const { k, farthest, means } of gaps) {
    const gap = means && gapOf(means, shape, isLog, k);
    if (!gap) continue;
    for (let h = NEAREST * k; h <= Math.min(farthest, horizon); h += 1) {
      moved[h - 1] += lineAt(gap, k, h);
      weight[h - 1] += 1;
    }
  }
  return rows.map((row, h) => {
    const beyond = 1 - steps / Math.max(h + 1, steps);
    const by = (beyond * moved[h]) / Math.max(weight[h], 1);
    if (by === 0) return row;
    return row.map((value) => (isLog ? value * Math.exp(by) : value + by));
  });
}

/** How far means that were forecast lie from those of the shape; null where one is unknown. */
function gapOf(means, shape, isLog, k) {
  const gap = means.map((mean, m) => {
    const own = sum(shape.slice(m * k, (m + 1) * k)) / k;
    return isLog ? Math.log(mean / own) : mean - own;
  });
  return gap.every(Number.isFinite) ? gap : null;
}

/** On straight lines from nothing at the newest value through the middles of the means. */
function lineAt(gap, k, step) {
  const middle = (m) => (m < 0 ? 0 : k * m + (k + 1) / 2);
  const last = gap.length - 1;
  if (step >= middle(last)) return gap[last];
  let m = 0;
  while (step >= middle(m)) m += 1;
  const before = m === 0 ? 0 : gap[m - 1];
  const share = (step - middle(m - 1)) / (middle(m) - middle(m - 1));
  return before + share * (gap[m] - before);
}
