// Events too rare to decide how wide intervals are: lstmcast/evaluation/rare.py.

import { shortestSeason, startOf } from "./context.mjs";
import { counting, isKnown, known, largest, median, smallest } from "./numbers.mjs";

const SHARE = 0.025; // of the values read, which events are fewer than
const UNLIKE = 2; // times the largest other change over a cycle
const LASTED = 8; // values, and a cycle, that a new level must have lasted
const BELIEVED = 2; // values after which a new level is believed
const RETURNED = 3; // newest values that are as before an event
const NEWEST = 12; // values, or a cycle, that say what is usual now
const SURPRISED = 2; // outermost distances to the median, from which a value may be an event
// multiples of the errors of the newest cutoffs: of a cutoff's usual error, of any error
const [OUTGROWN, OUTGROWN_ANY] = [2.5, 2];
const MIDDLE = 3;

/** What was tried, rare events among the actual values unknown. */
export function withoutEvents(tried, panel, cutoffs) {
  if (!isSurprised(tried)) return tried;
  const start = startOf(panel.values.length, panel.periods);
  const season = shortestSeason(panel.periods) || 1;
  const read = panel.values.slice(start);
  const isEvent = eventsOf(read, season);
  const shift = start + lastingShift(read, season);
  const isOver = overSince(read, season);
  const isAt = (step) => isEvent[step - start] ?? false;
  const isAfter = (cutoff) => isAt(cutoff - 1) || (isOver[cutoff - 1 - start] ?? false);
  const isAcross = (cutoff, h) => cutoff <= shift + BELIEVED && cutoff + h >= shift;
  const first = start + firstChange(read);
  const isBefore = (cutoff) => cutoff <= first;
  const isOutgrown = outgrown(errorsOf(tried), newestOf(cutoffs, season));
  const isRare = (cutoff, h) =>
    isAfter(cutoff) || isAt(cutoff + h) || isAcross(cutoff, h) || isBefore(cutoff);
  const actual = tried.actual.map((row, j) =>
    row.map((value, h) => (isOutgrown(j, h) || isRare(cutoffs[j], h) ? NaN : value)),
  );
  return { ...tried, actual };
}

/** The sizes of the errors, as ratios if all values are positive. */
function errorsOf({ before, actual }) {
  const medians = before.map((rows) => rows.map((row) => row[MIDDLE]));
  const isPositive = !(smallest([...actual.flat(), ...medians.flat()]) <= 0);
  return actual.map((row, j) =>
    row.map((value, h) => {
      const middle = medians[j][h];
      return Math.abs(isPositive ? Math.log(value / middle) : value - middle);
    }),
  );
}

/** How many of the held-out cutoffs, the newest ones first, say how large errors are now. */
function newestOf(cutoffs, season) {
  const inCycle = cutoffs.filter((cutoff) => cutoff > cutoffs[0] - season).length;
  return Math.max(LASTED, inCycle);
}

/** Which errors are no longer made: of older cutoffs, far larger than those of the newest ones. */
function outgrown(errors, newest) {
  const usual = errors.map((row) => median(known(row)));
  const now = known(usual.slice(0, newest));
  // errors of 0 say nothing of other values
  if (now.length < Math.min(newest, LASTED) || largest(now) === 0) return () => false;
  const mostUsual = OUTGROWN * largest(now);
  const most = OUTGROWN_ANY * largest(errors.slice(0, newest).flat());
  return (j, h) => j >= newest && (usual[j] > mostUsual || errors[j][h] > most);
}

/** The first value that differs from those before it; 0 if that is not known. */
function firstChange(values) {
  const first = values.find(isKnown);
  return Math.max(values.findIndex((value) => isKnown(value) && value !== first), 0);
}

function isSurprised({ before, actual }) {
  return actual.some((row, j) =>
    row.some((value, h) => {
      const quantiles = before[j][h];
      const error = value - quantiles[MIDDLE];
      const high = quantiles[quantiles.length - 1] - quantiles[MIDDLE];
      return error > SURPRISED * high || -error > SURPRISED * (quantiles[MIDDLE] - quantiles[0]);
    }),
  );
}

/** Which values are unlike all others, and were over with the next ones. */
export function eventsOf(values, season) {
  const isEvent = values.map(() => false);
  const most = Math.floor(SHARE * known(values).length);
  if (most < 1 || values.length <= 3 * season) return isEvent;
  const z = smallest(values) > 0 ? values.map(Math.log) : values;
  const over = (lag) => z.map((value, t) => (t < lag ? NaN : Math.abs(value - z[t - lag])));
  const [change, twice] = [over(season), over(2 * season)];
  const back = z.map((_, t) => (t + season < z.length ? change[t + season] : NaN));
  const alone = change.map((size, t) => {
    const both = Math.min(size, isKnown(back[t]) ? back[t] : twice[t]);
    return isKnown(both) ? both : 0;
  });
  const order = counting(z.length).sort((a, b) => alone[b] - alone[a] || a - b);
  const chosen = new Set(order.slice(0, most));
  const others = largest(change.filter((_, t) => !chosen.has(t) && !chosen.has(t - season)));
  for (const t of chosen) {
    const isOver = isKnown(back[t]) || change[t + 1] <= others;
    isEvent[t] = alone[t] > UNLIKE * others && isOver;
  }
  return isEvent;
}

/** Where a level begins that has lasted, if values shifted once; NaN if they did not. */
export function lastingShift(values, season) {
  const filled = withoutGaps(values);
  if (filled.length <= 3 * season + LASTED) return NaN;
  const z = smallest(filled) > 0 ? filled.map(Math.log) : filled;
  const change = z.slice(season).map((value, t) => value - z[t]);
  const size = change.map(Math.abs);
  const order = counting(change.length).sort((a, b) => size[b] - size[a] || a - b);
  const spanning = order.slice(0, season).sort((a, b) => a - b);
  const shift = spanning[0] + season;
  const isTogether = spanning[season - 1] - spanning[0] === season - 1;
  const changes = spanning.map((t) => change[t]);
  const isOneWay = changes.every((one) => one > 0) || changes.every((one) => one < 0);
  const others = size[order[season]];
  const isUnlike = others > 0 && smallest(changes.map(Math.abs)) > UNLIKE * others;
  const hasLasted = z.length - shift >= Math.max(LASTED, season);
  if (!(hasLasted && isTogether && isOneWay && isUnlike)) return NaN;
  return values.length - z.length + shift;
}

/** Which values lie far outside of those of the newest cycle, though others before did not. */
export function overSince(values, season) {
  const filled = withoutGaps(values);
  const z = smallest(filled) > 0 ? filled.map(Math.log) : filled;
  const cycle = Math.max(season, NEWEST);
  const isFar = farFrom(z.slice(-cycle), z);
  const first = isFar.indexOf(false); // before it: another level, or growth
  const isJustOver = justOver(z, cycle);
  return values.map((_, t) => {
    const place = t - (values.length - z.length);
    const inNewest = place - Math.max(z.length - 2 * cycle, 0);
    return (place >= first && isFar[place]) || (isJustOver[inNewest] ?? false);
  });
}

/** Which values lie outside of usual ones by more than the range of these. */
function farFrom(usual, z) {
  const [low, high] = [smallest(usual), largest(usual)];
  const room = high - low;
  return z.map((value) => value < low - room || value > high + room);
}

/** Which of the newest two cycles lie far from the cycle before, to which the newest returned. */
function justOver(z, cycle) {
  if (z.length < 3 * cycle) return [];
  const isFar = farFrom(z.slice(-3 * cycle, -2 * cycle), z.slice(-2 * cycle));
  return isFar.slice(-RETURNED).some(Boolean) ? [] : isFar;
}

/** From the first known value on, missing ones as the one before. */
function withoutGaps(values) {
  const filled = values.slice(Math.max(values.findIndex(isKnown), 0));
  filled.forEach((value, t) => {
    if (!isKnown(value) && t > 0) filled[t] = filled[t - 1];
  });
  return filled;
}
