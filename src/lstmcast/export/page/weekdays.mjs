// Weekdays that never sell: lstmcast.decoding.weekdays.py.

import { counting, isKnown } from "./numbers.mjs";

const WEEKS = 32; // newest ones that say it
const FEWEST = 5; // of these, at least
const CHANCE = 1e-6; // that a product sells at none of them, as seldom as on other days
const DAYS = [5, 7]; // steps of a week

/** Rows of quantiles, step by step, 0 on weekdays that have never sold lately. */
export function shut(rows, { values, family, periods }) {
  const week = Math.min(...periods.filter((period) => period > 1));
  if (family !== "daily" || !DAYS.includes(week)) return rows;
  const closed = counting(week).map((day) => neverSold(values, week, day));
  return rows.map((row, h) => (closed[h % week] ? row.map(() => 0) : row));
}

/** Whether values have always been 0 on a coming day of the week, as chance cannot explain. */
function neverSold(values, week, day) {
  let zeros = 0;
  let others = 0;
  let otherZeros = 0;
  for (let back = 1; back <= WEEKS; back += 1) {
    const first = values.length - back * week;
    const here = values[first + day] ?? NaN;
    if (isKnown(here) && here !== 0) break;
    if (here === 0) zeros += 1;
    for (const other of counting(week).filter((k) => k !== day)) {
      const value = values[first + other] ?? NaN;
      if (isKnown(value)) others += 1;
      if (value === 0) otherZeros += 1;
    }
  }
  return zeros >= FEWEST && others > 0 && (otherZeros / others) ** zeros < CHANCE;
}
