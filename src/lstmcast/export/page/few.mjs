// Few values: a straight line goes on, and a season that was seen once comes again.
// lstmcast/evaluation/few.py has the reasons and the names.

import { shortestSeason } from "./context.mjs";
import { changesOf, counting, mean, sum } from "./numbers.mjs";

const [FEWEST, MOST] = [4, 12];
const [STRAIGHT, CROOKED] = [5, 2];
const [CYCLE, UNLIKE] = [0.9, 1.4];
const MIDDLE = 3;

/** What few values say of the steps after them, each with its weight; nothing of many. */
function simpleOf(panel, count, horizon) {
  const season = shortestSeason(panel.periods);
  const values = panel.values.slice(0, count);
  const isFew = count >= FEWEST && count <= Math.max(MOST, 2 * season);
  const line = { points: counting(horizon).fill(0), weight: 0 };
  const cycle = { points: counting(horizon).fill(0), weight: 0 };
  if (!isFew || !values.every(Number.isFinite)) return { line, cycle };
  const changes = changesOf(values);
  if (count <= MOST) {
    const slope = mean(changes);
    line.points = counting(horizon).map((h) => values.at(-1) + slope * (h + 1));
    line.weight = straightness(changes);
  }
  if (season < count && count <= 2 * season) {
    const last = values.slice(-season);
    cycle.points = counting(horizon).map((h) => last[h % season]);
    cycle.weight = likeness(values, changes, season);
  }
  return { line, cycle };
}

/** How much values with these changes look like a straight line, from 0 to 1. */
function straightness(changes) {
  const slope = mean(changes);
  const squares = changes.map((change) => (change - slope) ** 2);
  const noise = Math.sqrt(sum(squares) / (changes.length - 1));
  const total = slope ** 2 + (STRAIGHT * noise) ** 2;
  if (total === 0 || Math.abs(slope) < CROOKED * noise) return 0;
  return slope ** 2 / total;
}

/** The weight of the last cycle: more, the more closely values agree with those before it. */
function likeness(values, changes, season) {
  const pairs = values.length - season;
  const overStep = mean(changes.map(Math.abs));
  if (overStep === 0) return 0;
  const later = values.slice(season);
  const overCycle = mean(later.map((value, t) => Math.abs(value - values[t])));
  const like = Math.max(1 - overCycle / overStep / UNLIKE, 0);
  return (CYCLE * like * pairs) / (pairs + 1);
}

/** Quantiles after so many values, moved towards what few values say. */
function moved(panel, count, rows) {
  const { line, cycle } = simpleOf(panel, count, rows.length);
  if (line.weight === 0 && cycle.weight === 0) return rows;
  return rows.map((row, h) => {
    const there = towards(row, cycle.points[h], cycle.weight);
    const away = line.weight * (line.points[h] - there[MIDDLE]);
    return there.map((value) => value + away);
  });
}

/** Towards a cycle: as a ratio where all are positive. */
function towards(row, point, weight) {
  const middle = row[MIDDLE];
  if (point > 0 && row.every((value) => value > 0)) {
    const ratio = (point / middle) ** weight;
    return row.map((value) => value * ratio);
  }
  return row.map((value) => value + weight * (point - middle));
}

/** Forecasts at the origin and at held-out cutoffs, moved where few values were known. */
export function withFew(tried, panel) {
  return {
    ...tried,
    quantiles: moved(panel, tried.count, tried.quantiles),
    before: tried.before.map((rows, j) => moved(panel, tried.cutoffs[j], rows)),
  };
}

/** The shares, with those of the line and the cycle through few values. */
export function sharesWithFew(shares, panel) {
  const { line, cycle } = simpleOf(panel, panel.values.length, 1);
  const rest = (1 - line.weight) * (1 - cycle.weight);
  if (rest === 1) return shares;
  const parts = new Map(shares.map(([name, share]) => [name, share * rest]));
  const put = (name, share) => share > 0 && parts.set(name, (parts.get(name) ?? 0) + share);
  put(`seasonal naive ${shortestSeason(panel.periods)}`, cycle.weight * (1 - line.weight));
  put("straight line", line.weight);
  return [...parts];
}
