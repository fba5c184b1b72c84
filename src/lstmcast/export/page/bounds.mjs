// What values have never done, though they could have: lstmcast/data/bounds.py.

import { clip, counting, higher, known, largest, lower, smallest } from "./numbers.mjs";

const VISITS_ALONE = 5; // touched, left and touched again, where values near the limit are rare,
const VISITS = 20; // and where they are not
const ALONE = 3; // times as many values at a limit as at the nearest other value
const SHARE = 0.02; // of all values, at the limit
const RISES = 20; // changes that all went one way

/** Rows of quantiles, step by step, that are nowhere beyond the bounds of what was read. */
export function within(rows, read) {
  const values = known(read);
  const changes = counting(values.length - 1).map((t) => values[t + 1] - values[t]);
  const isLong = changes.filter((change) => change !== 0).length >= RISES;
  const rises = isLong && smallest(changes) >= 0;
  const falls = isLong && largest(changes) <= 0;
  const newest = values[values.length - 1];
  let [low, high] = limitsIn(values);
  if (rises) low = newest;
  if (falls) high = newest;
  const result = rows.map((row) => row.map((value) => clip(value, low, high)));
  for (let h = 1; h < result.length; h += 1) {
    if (rises) result[h] = result[h].map((value, q) => higher(value, result[h - 1][q]));
    if (falls) result[h] = result[h].map((value, q) => lower(value, result[h - 1][q]));
  }
  return result;
}

/** The lower and the upper limit of values; infinite where there is none. */
function limitsIn(values) {
  const low = smallest(values);
  const high = largest(values);
  if (values.length < 2 * VISITS_ALONE || low === high) return [-Infinity, Infinity];
  return [
    isLimit(values, low, smallest) ? low : -Infinity,
    isLimit(values, high, largest) ? high : Infinity,
  ];
}

/** Whether the largest or the smallest value was touched often enough to be a limit. */
function isLimit(values, bound, extreme) {
  const others = values.filter((value) => value !== bound);
  const touches = values.length - others.length;
  if (touches < Math.max(VISITS_ALONE, SHARE * values.length)) return false;
  const begins = (k) => values[k] === bound && values[k - 1] !== bound;
  const visits = counting(values.length).filter(begins).length;
  if (visits >= VISITS) return true;
  const nearest = extreme(others);
  const near = others.filter((value) => value === nearest).length;
  return visits >= VISITS_ALONE && touches >= ALONE * near;
}
