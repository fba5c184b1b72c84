// Intervals that contain what they promise: conformal calibration on held-out cutoffs.
// lstmcast/evaluation/calibration.py has the reasons and the names.

import { LINEAR, LOG, ROOT, fromAxis, toAxis } from "./axis.mjs";
import { CUTOFFS } from "./context.mjs";
import { LEVELS } from "./decoding.mjs";
import { ascending, clip, counting, isKnown, smallest, sum } from "./numbers.mjs";

const ENOUGH = 60;
const MOST_WIDENED = 1.5;
const NO_WIDTH = 0.1;
const LEAST = 0.3;
export const HALF = [0.6744897501960817, 1.2815515655446004, 1.959963984540054]; // of a normal distribution
const SCORES = [-HALF[2], -HALF[1], -HALF[0], 0, ...HALF]; // at `LEVELS`
const TRUST = 4;
const FROM_SHORTER = 8;
const GROWN = 4;
const STEEPEST = 0.5;
const SMOOTHED = 3;
const SMOOTHED_SHARE = 4;
const FIRST = 24;
const OUTER = 2;
const MIDDLE = 3;

/** Quantiles whose intervals are as wide as the held-out cutoffs say. */
export function calibrated(tried, apart) {
  const axis = axisOf(tried);
  const on = (value) => toAxis(value, axis);
  const actual = tried.actual.map((row) => row.map(on));
  const told = tried.before.map((rows) => rows.map((row) => row.map(on)));
  const least = axis === ROOT ? [] : leastDistances(actual, told);
  const before = told.map((rows) => rows.map((row, h) => spread(row, least[h])));
  const quantiles = tried.quantiles.map((row, h) => spread(row.map(on), least[h]));
  const factors = counting(MIDDLE).map((k) => {
    const [low, high] = [MIDDLE - 1 - k, MIDDLE + 1 + k];
    const scores = scoresOf(before, actual, low, high);
    return factorsOf(scores, LEVELS[high] - LEVELS[low], apart, quantiles.length);
  });
  const errors = actual.map((row, j) => row.map((value, h) => value - before[j][h][MIDDLE]));
  const below = largestOf(errors, -1, quantiles.length);
  const above = largestOf(errors, 1, quantiles.length);
  return quantiles.map((row, h) => {
    const own = factors.map((each) => each[h]);
    return widened(row, own, below[h], above[h]).map((value) => fromAxis(value, axis));
  });
}

function axisOf({ quantiles, before, actual }) {
  const low = smallest([quantiles.flat(), before.flat(2), actual.flat()].map(smallest));
  if (low > 0 || !isKnown(low)) return low > 0 ? LOG : LINEAR;
  return low === 0 ? ROOT : LINEAR;
}

/** How far quantiles of each step must lie from the median at least, where they have no width. */
function leastDistances(actual, before) {
  return counting(actual[0]?.length ?? 0).map((h) => {
    const known = counting(actual.length).filter((j) => {
      return isKnown(actual[j][h] - before[j][h][MIDDLE]);
    });
    const mean = (of) => sum(known.map(of)) / Math.max(known.length, 1);
    const usual = mean((j) => Math.sqrt(Math.abs(actual[j][h] - before[j][h][MIDDLE]))) ** 2;
    const width = mean((j) => before[j][h][LEVELS.length - 1] - before[j][h][0]);
    return SCORES.map((score) => (width < NO_WIDTH * usual ? LEAST * usual * score : 0));
  });
}

/** Quantiles of a step that lie at least so far from the median. */
function spread(row, least = []) {
  const isNear = (value, q) => Math.abs(value - row[MIDDLE]) < Math.abs(least[q] ?? 0);
  return row.map((value, q) => (isNear(value, q) ? row[MIDDLE] + least[q] : value));
}

/** By how much each interval would have had to be wider; NaN = unknown. */
function scoresOf(before, actual, low, high) {
  return before.map((rows, j) =>
    rows.map((row, h) => {
      const error = actual[j][h] - row[MIDDLE];
      const width = error >= 0 ? row[high] - row[MIDDLE] : row[MIDDLE] - row[low];
      const score = Math.abs(error) / width;
      if (Number.isFinite(score)) return score;
      return error === 0 ? 0 : NaN;
    }),
  );
}

/** The largest error on one side of the steps up to each, of the first steps together. */
function largestOf(errors, sign, horizon) {
  let most = -Infinity;
  const upTo = counting(horizon).map((h) => {
    for (const row of errors) {
      if (isKnown(row[h])) most = Math.max(most, sign * row[h], 0);
    }
    return most;
  });
  return upTo.map((_, h) => {
    const until = Math.max(h, Math.min(FIRST, horizon) - 1);
    return upTo[until] < 0 ? Infinity : upTo[until];
  });
}

/** Factors of each step for one interval. */
function factorsOf(scores, level, apart, horizon) {
  const known = counting(horizon).map((h) => scores.filter((row) => isKnown(row[h])).length);
  if (sum(known) === 0) return new Array(horizon).fill(1);
  const trials = known.map((count, h) => count * Math.min(1, apart / (h + 1)));
  const measured = counting(horizon).map((h) => measuredAt(scores, level, h, trials[h], known[h]));
  const rough = measured.map(Math.log);
  const weight = rough.map((ratio, h) => (isKnown(ratio) ? trials[h] : 0));
  const ratios = smoothed(rough, weight);
  const most = Math.max(...weight);
  if (most === 0) return new Array(horizon).fill(1);
  const grown = grownFrom(ratios, weight);
  return ratios.map((ratio, h) => {
    const missing = Math.min(most - weight[h], FROM_SHORTER);
    const said = weight[h] * (isKnown(ratio) ? ratio : 0) + missing * grown[h];
    return Math.exp(((said / (weight[h] + missing)) * most) / (most + TRUST));
  });
}

/** The factor that the scores of a step ask for; NaN where there are none. */
function measuredAt(scores, level, h, trials, known) {
  const near = nearest(scores, h);
  if (!near.length || !(trials > 0)) return NaN;
  const independent = near.length * Math.sqrt(trials / Math.max(known, 1));
  return clip(conformal(near, level, independent), 0.05, 20);
}

/** Known scores of a step and of as few others as give enough of them. */
function nearest(scores, h) {
  const horizon = scores[0].length;
  let found = [];
  for (let width = 0; width <= horizon; width += 1) {
    found = scores.flatMap((row) => row.slice(Math.max(0, h - width), Math.max(h, width) + 1));
    found = found.filter(isKnown);
    if (found.length >= ENOUGH) break;
  }
  return found;
}

function conformal(scores, level, independent) {
  const trials = Math.min(Math.max(independent, 1), scores.length);
  const rank = Math.ceil((((trials + 1) * level) / trials) * scores.length);
  return ascending(scores)[Math.min(rank, scores.length) - 1];
}

/** Averages over neighbouring steps, the nearer the more. */
function smoothed(ratios, weight) {
  const horizon = ratios.length;
  return ratios.map((ratio, h) => {
    if (!isKnown(ratio)) return NaN;
    const last = Math.max(h, Math.min(FIRST, horizon) - 1);
    const reach = Math.max(SMOOTHED, Math.floor(h / SMOOTHED_SHARE)) + 1;
    let total = 0;
    let mean = 0;
    ratios.forEach((other, k) => {
      const near = k <= last ? Math.max(1 - Math.abs(h - k) / reach, 0) : 0;
      const share = k === h ? weight[h] : near * Math.min(weight[k], CUTOFFS);
      total += share;
      mean += share * (isKnown(other) ? other : 0);
    });
    return mean / Math.max(total, 1e-12);
  });
}

/** What the steps up to each say of it: a straight line over the logarithm of the distance. */
function grownFrom(ratios, weight) {
  const horizon = ratios.length;
  const running = [0, 0, 0, 0, 0];
  const sums = ratios.map((given, h) => {
    const ahead = Math.log(h + 1);
    const ratio = isKnown(given) ? given : 0;
    [1, ahead, ratio, ahead * ahead, ahead * ratio].forEach((one, k) => {
      running[k] += weight[h] * one;
    });
    return [...running];
  });
  const most = Math.max(...weight);
  return ratios.map((_, h) => {
    const [total, x, y, xx, xy] = sums[Math.max(h, Math.min(FIRST, horizon) - 1)];
    const all = Math.max(total, 1e-12);
    const [middle, mean] = [x / all, y / all];
    const spread = Math.max(xx / all - middle * middle, 1e-9);
    const slope = clip((xy / all - middle * mean) / spread, -STEEPEST, STEEPEST);
    return mean + (most / (most + GROWN)) * slope * (Math.log(h + 1) - middle);
  });
}

/** Quantiles whose distance to the median is multiplied by their interval's factor. */
function widened(row, factors, below, above) {
  const reached = [
    ...sideReached(row, 0),
    false,
    false,
    false,
    ...sideReached(row, row.length - OUTER),
  ];
  const wide = row.map((value, q) => {
    const own = value - row[MIDDLE];
    if (q === MIDDLE || reached[q]) return value;
    const size = MOST_WIDENED * Math.abs(own);
    const distance = own * factors[Math.abs(q - MIDDLE) - 1];
    return row[MIDDLE] + clip(distance, -Math.max(size, below), Math.max(size, above));
  });
  return ascending(wide);
}

/** Whether the outer bounds of a side stand in one place, which is not 0. */
function sideReached(row, first) {
  const [one, other] = row.slice(first, first + OUTER);
  const reaches = one === other && one !== 0 && one !== row[MIDDLE];
  return new Array(OUTER).fill(reaches);
}
