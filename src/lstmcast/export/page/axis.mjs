// The axis on which a series is read: logarithms, square roots, or its values.
// lstmcast/model/inputs/axis.py has the reasons and the names.

import { decided, shortestSeason } from "./context.mjs";
import {
  exponentOf,
  isKnown,
  known,
  largest,
  lowerMedian,
  median,
  smallest,
  sum,
} from "./numbers.mjs";

export const LINEAR = 0;
export const LOG = 1;
export const ROOT = 2;

const FLAT = 0.01;
const NARROW = 0.5;
const CYCLES = 3; // in all of which a step is 0, for its zeros to count as a habit
const LONGEST_CYCLE = 60;
const OUTAGE = 6;
const MANY_ZEROS = 0.1;
const RECENT = 24;
const FEW = 0.02;
const STRAY = 6;
const NEARBY = 12;
const CODES = [-99, -999, -9999, -99999, -999999, -99.9, -999.9, -9999.9]; // for missing
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
  const coded = withoutCodes(given);
  const unit = powerOfFour(coded);
  const begin = coded.findIndex((value) => isKnown(value) && value !== 0);
  const values = coded.map((value, t) => (begin >= 0 && t < begin ? NaN : value / unit));
  const positive = values.map((value) => (value > 0 ? value : NaN));
  const count = Math.max(known(values).length, 1);
  const zeros = values.filter(isZero).length;
  const [from, until] = longestRun(known(values).map(isZero));
  const often = zeros - (until - from) >= MANY_ZEROS * count || endsWithout(values);
  const many = often || (zeros > 0 && zerosRecur(values, periods));
  const low = smallest(positive);
  const high = largest(positive);
  if (fallsBelow(values, positive)) return LINEAR;
  if (zeros > 0 && many) return ROOT;
  if (low >= (1 - FLAT) * high && low < high) return LINEAR;
  const wide = low < NARROW * high && !many;
  return wide && isAdditive(positive, reachesZero(values), periods) ? LINEAR : LOG;
}

const isZero = (value) => value === 0;

const isCode = (value) => CODES.includes(value);

/** The values, −999 and its like missing in a series that is otherwise far above these. */
function withoutCodes(values) {
  const codes = values.filter(isCode);
  if (!codes.length) return values;
  const others = known(values).filter((value) => !isCode(value));
  const least = smallest(others);
  if (others.length < ENOUGH || others.length <= codes.length || least < 0) return values;
  const far = least - largest(codes) >= STRAY * meanChange(others);
  return far ? values.map((value) => (isCode(value) ? NaN : value)) : values;
}

function fallsBelow(values, positive) {
  if (!values.some((value) => value < 0)) return false;
  if (!positive.some(isKnown)) return true;
  const x = known(values);
  const below = x.map((value) => value < 0);
  return !straysOnly(x, below);
}

/** Whether the values below are few, in the past, and far from their neighbours. */
function straysOnly(x, below) {
  const others = x.filter((_, t) => !below[t]);
  const strays = x.length - others.length;
  const atEnd = below.slice(-2).every(Boolean);
  if (strays > Math.max(1, FEW * x.length) || atEnd || others.length < ENOUGH) return false;
  const usual = meanChange(others);
  return x.every((_, t) => !below[t] || isStray(x, below, t, usual));
}

function isStray(x, below, t, usual) {
  const distances = othersNear(x, below, t, 3).map((value) => Math.abs(value - x[t]));
  const nearby = othersNear(x, below, t, NEARBY);
  const change = nearby.length >= ENOUGH ? Math.min(usual, meanChange(nearby)) : usual;
  return Math.min(...distances) >= STRAY * change;
}

/** The values that are not below, up to so many steps before and after one. */
function othersNear(x, below, t, steps) {
  const first = Math.max(t - steps, 0);
  return x.slice(first, t + steps + 1).filter((_, k) => !below[first + k]);
}

/** Whether a series comes near 0, rather than drop to it now and then. */
function reachesZero(values) {
  const x = known(values);
  const [from, until] = longestRun(x.map(isZero));
  const kept = x.filter((_, t) => t < from || t >= until);
  const zero = kept.map(isZero);
  return zero.some(Boolean) && !straysOnly(kept, zero);
}

function meanChange(x) {
  let total = 0;
  for (let t = 1; t < x.length; t += 1) total += Math.abs(x[t] - x[t - 1]);
  return x.length > 1 ? total / (x.length - 1) : 0;
}

/** Where the longest run of zeros that is over begins and ends; [0, 0] where it is short. */
function longestRun(zero) {
  let longest = [0, 0];
  let begin = 0;
  zero.forEach((here, t) => {
    if (here) return;
    if (t - begin > longest[1] - longest[0]) longest = [begin, t]; // it is over
    begin = t + 1;
  });
  return longest[1] - longest[0] >= OUTAGE ? longest : [0, 0];
}

/** Whether a series is 0 at the same step of every cycle, however few steps that are. */
function zerosRecur(values, periods) {
  const most = MANY_ZEROS * LONGEST_CYCLE;
  const long = periods.filter((period) => MANY_ZEROS * period > 1 && MANY_ZEROS * period <= most);
  return long.some((period) => zerosRecurAt(values, period));
}

/** Whether most zeros are at phases of a period that are always 0. */
function zerosRecurAt(values, period) {
  const seen = new Array(period).fill(0);
  const zeros = new Array(period).fill(0);
  values.forEach((value, t) => {
    if (isKnown(value)) seen[t % period] += 1;
    if (isZero(value)) zeros[t % period] += 1;
  });
  const always = zeros.filter((count, phase) => seen[phase] >= CYCLES && count === seen[phase]);
  return 2 * sum(always) > sum(zeros);
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

function isAdditive(positive, reaches, periods) {
  const season = shortestSeason(periods) || 1;
  const packed = known(positive);
  let [gain, count] = gainOf(packed, 1);
  if (season > 1 && packed.length > 3 * season) gain = Math.min(gain, gainOf(positive, season)[0]);
  const total = gain * Math.max(count, 1);
  const clear = gain >= CLEAR_GAIN && total >= SURE / 2;
  const near = reaches || standsNearZero(packed, Math.max(season, 5));
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
    Math.log(spread(ratios, CAP)) -
    Math.log(spread(linear, Infinity)) +
    density / Math.max(count, 1);
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
