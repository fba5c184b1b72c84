// Values that follow a linear recurrence: lstmcast/evaluation/recurrence.py has the reasons.

import { HALF } from "./calibration.mjs";
import { startOf } from "./context.mjs";
import {
  changesOf,
  counting,
  isKnown,
  largest,
  mean,
  product,
  smallest,
  solved,
  sum,
} from "./numbers.mjs";

export const RECURRENCE = "linear recurrence";

const FEWEST = 8;
const MOST = 256; // newest values that are looked at
const CYCLES = 3;
const EXACT = 0.05;
const LAGS = 16;
const CUTS = [1e-10, 1e-2];
const CHANGES = 6;
const [WIDTH, FEW_LAGS, UNEXPLAINED, RIDGE] = [20, 4, 0.2, 1e-12];
const SWEEPS = 60;
const SCORES = [...HALF.map((score) => -score).reverse(), 0, ...HALF];

const sumOfSizes = (values) => sum(values.map(Math.abs));

/** Quantiles of the next steps where all values follow a recurrence; null where they do not. */
export function continuation(panel, horizon) {
  const { values, periods } = panel;
  const read = values.slice(startOf(values.length, periods)).slice(-MOST);
  if (read.length < FEWEST || !read.every(isKnown)) return null;
  const tolerance = EXACT * mean(changesOf(read).map(Math.abs));
  const count = Math.floor((2 * read.length) / 3);
  const later = read.slice(count);
  for (const ahead of rulesOf(read)) {
    const tried = ahead(read.slice(0, count), later.length);
    const error = Math.max(...later.map((value, t) => Math.abs(tried[t] - value)));
    if (!(error <= tolerance)) continue;
    const points = ahead(read, horizon);
    if (!points.every(Number.isFinite)) continue;
    return points.map((point) => SCORES.map((score) => point + error * score));
  }
  return null;
}

/** The rules to be tried, the simplest first. */
function rulesOf(values) {
  const periods = counting(Math.floor(values.length / CYCLES)).map((k) => k + 1);
  const rules = periods
    .filter((period) => repeats(values, period))
    .flatMap((period) => {
      const byConstant = (given, steps) => repetition(given, period, steps);
      const byFactor = (given, steps) =>
        repetition(given.map(Math.log), period, steps).map(Math.exp);
      return smallest(values) > 0 ? [byConstant, byFactor] : [byConstant];
    });
  if (!isSmooth(values)) return rules;
  return [...rules, ...CUTS.map((cut) => (given, steps) => byLags(given, cut, steps))];
}

/** Whether the newest changes are those of one cycle before, or in proportion to them. */
function repeats(values, period) {
  const changes = changesOf(values);
  if (changes.length < CHANGES + period) return false;
  const newest = changes.slice(-CHANGES);
  const earlier = changes.slice(-CHANGES - period, -period);
  const size = sumOfSizes(newest);
  const factor = size / sumOfSizes(earlier);
  const errors = newest.map((change, k) => change - factor * earlier[k]);
  return size > 0 && sumOfSizes(errors) <= 4 * EXACT * size;
}

/** The last cycle again, changed as cycles have been. */
function repetition(values, period, steps) {
  const change = mean(values.slice(period).map((value, t) => value - values[t]));
  const last = values.slice(-period);
  return counting(steps).map(
    (h) => last[h % period] + change * (1 + Math.floor(h / period)),
  );
}

/** Lags of each value after the first ones, oldest first. */
const lagsOf = (values, lags) =>
  counting(values.length - lags).map((t) => values.slice(t, t + lags));

/** Whether few lags explain the newest values. */
function isSmooth(values) {
  if (values.length < WIDTH) return false;
  const newest = values.slice(-WIDTH);
  const size = mean(changesOf(newest).map(Math.abs));
  if (!(size > 0)) return false;
  const scaled = newest.map((value) => (value - newest.at(-1)) / size);
  const terms = lagsOf(scaled, FEW_LAGS).map((lags) => [1, ...lags]);
  const later = scaled.slice(FEW_LAGS);
  const places = counting(1 + FEW_LAGS);
  const columns = places.map((k) => terms.map((row) => row[k]));
  const crossed = columns.map((a) => columns.map((b) => product(a, b)));
  const ridge = RIDGE * sum(places.map((k) => crossed[k][k]));
  places.forEach((k) => (crossed[k][k] += ridge));
  const right = columns.map((column) => [product(column, later)]);
  const factors = solved(crossed, right).map(([factor]) => factor);
  const errors = terms.map((row, t) => Math.abs(later[t] - product(row, factors)));
  return largest(errors) <= UNEXPLAINED;
}

/** The next values by factors of the newest ones, and a constant. */
function byLags(values, cut, steps) {
  const lags = Math.min(LAGS, Math.floor(values.length / 3));
  const level = mean(values);
  const size = Math.sqrt(mean(values.map((value) => (value - level) ** 2))) || 1;
  const scaled = values.map((value) => (value - level) / size);
  const terms = lagsOf(scaled, lags).map((row) => [...row, 1]);
  const factors = leastSquares(terms, scaled.slice(lags), cut);
  const newest = scaled.slice(-lags);
  counting(steps).forEach((step) => {
    newest.push(product(factors, [...newest.slice(step), 1]));
  });
  return newest.slice(lags).map((value) => level + size * value);
}

/**
 * The shortest x of the least squares of A x − b, without singular values below a share of the
 * largest one: columns are turned in pairs until all are orthogonal (one-sided Jacobi).
 */
function leastSquares(A, b, cut) {
  const places = counting(A[0].length);
  const columns = places.map((k) => Float64Array.from(A, (row) => row[k]));
  const turned = places.map((k) => Float64Array.from(places, (j) => Number(j === k)));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    if (!turnedOnce(columns, turned)) break;
  }
  const squares = columns.map((column) => product(column, column));
  const least = cut ** 2 * Math.max(...squares);
  const shares = columns.map((column, k) =>
    squares[k] > least ? product(column, b) / squares[k] : 0,
  );
  return places.map((j) => sum(places.map((k) => turned[k][j] * shares[k])));
}

/** Turn each pair of columns that is not orthogonal; whether there was one. */
function turnedOnce(columns, turned) {
  let isTurned = false;
  for (let i = 0; i < columns.length; i += 1) {
    for (let j = i + 1; j < columns.length; j += 1) {
      const [first, second] = [columns[i], columns[j]];
      const across = product(first, second);
      const [a, b] = [product(first, first), product(second, second)];
      if (Math.abs(across) <= 1e-15 * Math.sqrt(a * b)) continue;
      isTurned = true;
      const ratio = (b - a) / (2 * across);
      const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
      const cosine = 1 / Math.hypot(1, tangent);
      turn(first, second, cosine, cosine * tangent);
      turn(turned[i], turned[j], cosine, cosine * tangent);
    }
  }
  return isTurned;
}

function turn(first, second, cosine, sine) {
  first.forEach((value, t) => {
    first[t] = cosine * value - sine * second[t];
    second[t] = sine * value + cosine * second[t];
  });
}
