// Values that repeat where values hardly ever do: lstmcast/evaluation/stuck.py.

import { shortestSeason, startOf } from "./context.mjs";
import { counting, isKnown, largest, smallest } from "./numbers.mjs";

const UNITS = ["second", "minute", "hour", "day", "business day"];
const FEWEST = 36; // values that must be known before
const REPEATS = 4; // equal values that count as stuck,
const TIMES = 3; // this many times as many as ever before,
const SHARE = 0.05; // of series in which no larger share of the values repeats
const ZEROS = 2; // zeros that count as an outage
const NEWEST = 12; // values, or a cycle, that lay far above 0 before an outage:
const FAR = 0.2; // the smallest is at least this share of the largest
const MOST = 7; // equal values, or all but one of a cycle, after which they are believed

/** How many of the newest values of a series are left out, as they are stuck. */
export function stuckIn(panel, isCount) {
  const { values, periods, unit } = panel;
  const read = values.slice(startOf(values.length, periods));
  const last = values[values.length - 1];
  if (!UNITS.includes(unit) || read.length <= FEWEST) return 0;
  if (last !== values[values.length - 2] || (last === 0 && isCount)) return 0;
  return stuckCount(read, shortestSeason(periods) || 1);
}

function stuckCount(values, season) {
  const places = counting(values.length).filter((t) => isKnown(values[t]));
  const last = values[values.length - 1];
  const count = places.length - places.findLastIndex((t) => values[t] !== last) - 1;
  const run = count < places.length ? count : 0;
  const before = places.slice(0, places.length - run).map((t) => values[t]);
  if (before.length < FEWEST || run > Math.max(MOST, season - 1)) return 0;
  const unread = values.length - places[before.length];
  if (last === 0) return run >= ZEROS && isOutage(before, season) ? unread : 0;
  const same = before.slice(1).map((value, t) => value === before[t]);
  const isRare = same.filter(Boolean).length <= SHARE * same.length;
  const isStuck = run >= Math.max(REPEATS, TIMES * (1 + longestRun(same)));
  return isStuck && isRare ? unread - 1 : 0;
}

/** Whether values fell to 0 from far above, and were never 0 twice in a row before. */
function isOutage(before, season) {
  const isZero = before.map((value) => value === 0);
  const others = before.filter((value) => value !== 0);
  const newest = others.slice(-Math.max(season, NEWEST));
  const isFar = smallest(newest) >= FAR * largest(newest);
  return isFar && longestRun(isZero) < ZEROS && smallest(before) >= 0;
}

function longestRun(flags) {
  let [longest, run] = [0, 0];
  for (const flag of flags) {
    run = flag ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** The rows, the outermost interval of each step reaching to the value that repeats. */
export function reaching(rows, stuck) {
  return rows.map((row) => {
    const last = row.length - 1;
    const reached = [...row];
    reached[0] = Math.min(row[0], stuck);
    reached[last] = Math.max(row[last], stuck);
    return reached;
  });
}
