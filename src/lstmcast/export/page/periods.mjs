// Seasonal periods that a series itself shows. lstmcast/model/inputs/periods.py has the reasons.

import { decided, shortestSeason } from "./context.mjs";
import { counting, higher, isKnown, smallest } from "./numbers.mjs";

const CYCLES = 12;
const FEWEST = 128;
const NEWEST = 512;
const KNOWN = 0.75;
const ALIKE = 0.4;
const ALIKE_UNUSUAL = 0.2;
const BETTER = 0.3;
const NEARLY = 1.3;
const FEWEST_PAIRS = 8;
const CHECKED = ["day", "hour", "minute", "second"];

const lookedAt = (usual) => (usual ? Math.max(CYCLES * usual, FEWEST) : NEWEST);

/** The period that an origin's values clearly show, where it is not the usual one; else 0. */
export function ownPeriod(panel, first, count) {
  const usual = shortestSeason(panel.periods);
  if (usual && !CHECKED.includes(panel.unit)) return 0;
  const until = first + decided(count - first);
  const begin = Math.max(first, until - lookedAt(usual));
  return periodShown(panel.values.slice(begin, until), usual);
}

export function periodShown(values, usual) {
  const quarter = Math.floor(values.length / 4);
  const longest = usual ? Math.min(2 * usual, quarter) : quarter;
  if (longest < Math.max(3, usual)) return 0;
  const z = onOneAxis(values);
  const scores = scoresOf(z, longest);
  const period = bestOf(scores);
  const known = z.filter(isKnown).length / z.length;
  if (known < KNOWN || !isClear(scores, period, usual)) return 0;
  const half = Math.floor(values.length / 2);
  const halves = [z.slice(0, half), z.slice(half)];
  return halves.every((part) => isClear(scoresOf(part, longest), period, usual)) ? period : 0;
}

function onOneAxis(values) {
  if (!values.some((value) => value <= 0)) return values.map(Math.log);
  const most = values.reduce((top, value) => Math.max(top, Math.abs(value) || 0), 0);
  return values.map((value) => value / (most > 0 ? most : 1));
}

/** Mean change over each number of steps, as a part of the largest over fewer steps. */
function scoresOf(z, longest) {
  const scores = [Infinity];
  let fewer = NaN;
  for (let lag = 1; lag <= longest; lag += 1) {
    const mean = lag <= z.length - FEWEST_PAIRS ? meanChange(z, lag) : NaN;
    if (lag > 1) {
      const score = mean / fewer;
      scores.push(Number.isFinite(score) ? score : Infinity);
    } else {
      scores.push(Infinity);
    }
    fewer = higher(fewer, mean);
  }
  return scores;
}

function meanChange(z, lag) {
  let count = 0;
  let drift = 0;
  for (let t = lag; t < z.length; t += 1) {
    const change = z[t] - z[t - lag];
    if (!isKnown(change)) continue;
    count += 1;
    drift += change;
  }
  if (count < FEWEST_PAIRS) return NaN;
  drift /= count;
  let roots = 0;
  for (let t = lag; t < z.length; t += 1) {
    const change = z[t] - z[t - lag];
    if (isKnown(change)) roots += Math.sqrt(Math.abs(change - drift));
  }
  return (roots / count) ** 2;
}

/** The shortest period whose score is nearly the least, or the best of its neighbours. */
function bestOf(scores) {
  const least = smallest(scores);
  const first = Math.max(scores.findIndex((score) => score <= NEARLY * least), 0);
  const reach = Math.floor(first / 8);
  const near = counting(scores.length).filter((lag) => Math.abs(lag - first) <= reach);
  return near.reduce((best, lag) => (scores[lag] < scores[best] ? lag : best), near[0]);
}

function isClear(scores, period, usual) {
  const own = scores[period];
  if (!usual) return own < ALIKE;
  return own < ALIKE_UNUSUAL && own < BETTER * scores[usual] && period !== usual;
}
