// Simple forecasts beside the network's. lstmcast/evaluation/candidates.py has the reasons.

import { blockOf, seasonsOf, startOf } from "./context.mjs";
import { linearMap } from "./linear.mjs";
import { counting, isKnown, smallest } from "./numbers.mjs";

const CYCLES = 3;
const WEEKS = 52;

/** Each a name, and a function that gives the points of so many steps after a cutoff. */
export function candidatesOf(panel) {
  const seasons = seasonsOf(panel.periods);
  const reach = blockOf(panel.periods);
  const chosen = [["naive", (count, horizon) => lastValue(panel, count, horizon, reach)]];
  for (const m of seasons) chosen.push([`seasonal naive ${m}`, cycle(panel, m)]);
  for (const m of new Set([...seasons.slice(0, 1), ...seasons.slice(-1)])) {
    chosen.push([`mean of 3 cycles ${m}`, cycleMean(panel, m)]);
  }
  if (["day", "business day"].includes(panel.unit) && panel.every === 1) {
    const year = WEEKS * (panel.unit === "day" ? 7 : 5);
    if (year <= reach && Math.max(1, ...seasons) < year) {
      chosen.push([`seasonal naive ${year}`, cycle(panel, year)]);
    }
  }
  chosen.push(["drift", drift(panel, panel.periods[0])]);
  chosen.push(["linear map", linearMap(panel, seasons)]);
  return chosen;
}

function lastValue(panel, count, horizon, reach) {
  let place = count - 1;
  while (place >= 0 && !isKnown(panel.values[place])) place -= 1;
  const near = place >= 0 && count - 1 - place < reach;
  return new Array(horizon).fill(near ? panel.values[place] : NaN);
}

/** The values of the same phase one, two, three cycles before a step. */
const before = (panel, count, m, h) =>
  counting(CYCLES).map((c) => panel.values[count - m * (c + 1) + (h % m)] ?? NaN);

const cycle = (panel, m) => (count, horizon) =>
  counting(horizon).map((h) => before(panel, count, m, h).find(isKnown) ?? NaN);

const cycleMean = (panel, m) => (count, horizon) =>
  counting(horizon).map((h) => {
    const known = before(panel, count, m, h).filter(isKnown);
    return known.reduce((total, value) => total + value, 0) / (known.length || NaN);
  });

/** The last cycle, grown by the mean change from cycle to cycle. */
const drift = (panel, m) => (count, horizon) => {
  const last = cycle(panel, m)(count, horizon);
  const values = panel.values.slice(startOf(count, panel.periods), count);
  const logs = values.map((value) => (value > 0 ? Math.log(value) : NaN));
  const grows = smallest(values) > 0;
  const change = meanChange(grows ? logs : values, m);
  return last.map((value, h) => {
    const moved = change * (1 + Math.floor(h / m));
    return grows ? value * Math.exp(moved) : value + moved;
  });
};

function meanChange(values, m) {
  const changes = values.slice(m).map((value, t) => value - values[t]);
  const known = changes.filter(isKnown);
  if (known.length < Math.max(3, m)) return 0;
  return known.reduce((total, change) => total + change, 0) / known.length;
}
