// The axis on which a series is read: logarithms, square roots, or its values.
// lstmcast/model/inputs/axis.py has the reasons and the names.

import { decided, shortestSeason } from "./context.mjs";
import { exponentOf, higher, isKnown, known, lower, lowerMedian, median } from "./numbers.mjs";

export const LINEAR = 0;
export const LOG = 1;
export const ROOT = 2;

const FLAT = 0.01;
const NARROW = 0.5;
const OUTAGE = 6;
const MANY_ZEROS = 0.1;
const RECENT = 24;
const FEW = 0.02;
const STRAY = 6;
const ENOUGH = 4;
const CAP = 20;
const CLEAR_GAIN = 0.15;
const SURE = 5;
const NEAR = 3;

export function toAxis(value, axis) {
  if (axis === LOG) return value > 0 ? Math.log(value) : NaN;
  if (axis === ROOT) return value >= 0 ? Math.sqrt(value) : NaN;
  return value;
}

export function fromAxis(z, axis) {
  if (axis === LOG) return Math.exp(Math.min(Math.max(z, -744), 709));
  if (axis === ROOT) return Math.max(z, 0) ** 2;
  return z;
}

/** The unit in which a series is read: a power of four near its largest value. */
export const unitOf = (values, axis) => (axis === LOG ? 1 : powerOfFour(values));

function powerOfFour(values) {
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value) || 0), 0);
  return 2 ** (Math.floor((exponentOf(most) - 1) / 2) * 2);
}

/** The axis of an origin that knows so many values of a series, and reads them from `first` on. */
export function axisInForce(series, first, count, periods) {
  let newest = count; // up to the newest value without a logarithm
  while (newest > 0 && !(series[newest - 1] <= 0)) newest -= 1;
  const after = newest > 0 ? Math.min(newest + 1, count) : 0;
  const until = Math.max(first + decided(count - first), after);
  return readingAxis(series.slice(first, until), periods);
}

/** The axis that suits these values. */
export function readingAxis(given, periods) {
  const unit = powerOfFour(given);
  const begin = given.findIndex((value) => isKnown(value) && value !== 0);
  const values = given.map((value, t) => (begin >= 0 && t < begin ? NaN : value / unit));
  const positive = values.map((value) => (value > 0 ? value : NaN));
  const count = Math.max(known(values).length, 1);
  const below = fallsBelow(values, positive);
  const zeros = values.filter((value) => value === 0).length;
  const many = zeros - longestOutage(values) >= MANY_ZEROS * count || endsWithout(values);
  const low = positive.reduce(lower, NaN);
  const high = positive.reduce(higher, NaN);
  if (below) return LINEAR;
  if (zeros > 0 && many) return ROOT;
  if (low >= (1 - FLAT) * high && low < high) return LINEAR;
  const wide = low < NARROW * high && !many;
  return wide && isAdditive(positive, zeros > 0, periods) ? LINEAR : LOG;
}

function fallsBelow(values, positive) {
  if (!values.some((value) => value < 0)) return false;
  if (!positive.some(isKnown)) return true;
  const x = known(values);
  const below = x.map((value) => value < 0);
  const others = x.filter((value) => value >= 0);
  const strays = x.length - others.length;
  const atEnd = below.slice(-2).every(Boolean);
  if (strays > Math.max(1, FEW * x.length) || atEnd || others.length < ENOUGH) return true;
  const usual = meanChange(others);
  return x.some((_, t) => below[t] && nearest(x, below, t) < STRAY * usual);
}

function nearest(x, below, t) {
  let least = Infinity;
  for (let k = Math.max(t - 3, 0); k < Math.min(t + 4, x.length); k += 1) {
    if (!below[k]) least = Math.min(least, Math.abs(x[k] - x[t]));
  }
  return least;
}

function meanChange(x) {
  let total = 0;
  for (let t = 1; t < x.length; t += 1) total += Math.abs(x[t] - x[t - 1]);
  return x.length > 1 ? total / (x.length - 1) : 0;
}

function longestOutage(values) {
  let run = 0;
  let longest = 0;
  for (const value of known(values)) {
    if (value === 0) {
      run += 1;
    } else {
      longest = Math.max(longest, run); // it is over
      run = 0;
    }
  }
  return longest >= OUTAGE ? longest : 0;
}

function endsWithout(values) {
  const without = known(values).map((value) => value <= 0);
  if (!without.some(Boolean)) return false;
  let run = 0;
  while (run < without.length && without[without.length - 1 - run]) run += 1;
  const before = without.slice(0, without.length - run);
  const pair = before.some((here, t) => t > 0 && here && before[t - 1]);
  const recent = without.slice(-RECENT);
  const runs = recent.filter((here, t) => here && !(t > 0 && recent[t - 1])).length;
  return (run > 1 && !pair) || runs >= Math.floor(RECENT / 6);
}

function isAdditive(positive, touches, periods) {
  const season = shortestSeason(periods) || 1;
  const packed = known(positive);
  let [gain, count] = gainOf(packed, 1);
  if (season > 1 && packed.length > 3 * season) gain = Math.min(gain, gainOf(positive, season)[0]);
  const total = gain * Math.max(count, 1);
  const clear = gain >= CLEAR_GAIN && total >= SURE / 2;
  const near = touches || standsNearZero(packed, Math.max(season, 5));
  return clear || (total >= SURE && near);
}

/** Log likelihood of a change by which the linear axis is ahead, and of how many changes. */
function gainOf(positive, lag) {
  const linear = [];
  const ratios = [];
  let density = 0;
  for (let t = lag; t < positive.length; t += 1) {
    const change = positive[t] - positive[t - lag];
    if (!isKnown(change)) continue;
    linear.push(change);
    ratios.push(Math.log(positive[t]) - Math.log(positive[t - lag]));
    density += Math.log(positive[t]);
  }
  const count = linear.length;
  const gain =
    Math.log(spread(ratios, CAP)) - Math.log(spread(linear, Infinity)) + density / Math.max(count, 1);
  return [count >= ENOUGH && isKnown(gain) ? gain : -Infinity, count];
}

function spread(changes, most) {
  if (!changes.length) return 0;
  const middle = lowerMedian(changes);
  const distances = changes.map((change) => Math.abs(change - middle));
  const usual = lowerMedian(distances);
  const limit = usual > 0 ? most * usual : Infinity;
  return distances.reduce((total, one) => total + Math.min(one, limit), 0) / changes.length;
}

function standsNearZero(packed, newest) {
  if (packed.length <= 1) return false;
  return median(packed.slice(-newest)) < NEAR * meanChange(packed);
}
