// Limits that values have touched so often that nothing beyond is expected: lstmcast/data/touched.py.

import { clip, counting, known, largest, smallest } from "./numbers.mjs";

const VISITS_ALONE = 5; // touched, left and touched again, where values near the limit are rare,
const VISITS = 20; // and where they are not
const ALONE = 3; // times as many values at a limit as at the nearest other value
const SHARE = 0.02; // of all values, at the limit

/** The lower and the upper limit of what was read; infinite where there is none. */
export function limitsIn(read) {
  const values = known(read);
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

/** A forecast that is not beyond its limits. */
export const within = (value, [low, high]) => clip(value, low, high);
