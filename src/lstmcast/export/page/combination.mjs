// The forecast combination: the network's forecast and simple ones, averaged as the held-out
// cutoffs say that each deserves. lstmcast/evaluation/combination.py has the reasons and the names.

import { LOG, fromAxis } from "./axis.mjs";
import { candidatesOf } from "./candidates.mjs";
import { ascending, clip, isKnown, smallest, sum } from "./numbers.mjs";

const POWER = 8;
const NETWORK_PRIOR = 8;
const TRUST = 2;
const FEWEST_WINDOWS = 3;
const [CLEAR, CLEAR_OF_ZEROS] = [Math.log(0.5), Math.log(0.25)];
const FADE = 0.96;
const MOST_APART = 0.95;
const ZERO_RATIOS = [0.25, 4];
const RATIOS = [0.1, 10];
const BANDS = [12, 24];
const MIDDLE = 3;

/** `tried`: quantiles at the origin and at the held-out cutoffs, with what came after those. */
export function combined(panel, tried) {
  const horizon = tried.quantiles.length;
  const candidates = candidatesOf(panel)
    .map(([name, points]) => ({
      name,
      result: points(tried.count, horizon),
      before: tried.cutoffs.map((cutoff) => points(cutoff, horizon)),
    }))
    .filter((one) => one.result.some(Number.isFinite));
  const alone = { tried, shares: [["network", 1]] };
  if (!candidates.length) return alone;
  const edges = [0, ...BANDS.filter((end) => end < horizon), horizon];
  const bands = edges.slice(1).map((end, k) => inBand(tried, candidates, edges[k], end));
  const near = meanShares(bands, edges);
  const others = candidates.map((one, n) => [one.name, near[n]]);
  return {
    tried: {
      ...tried,
      quantiles: bands.flatMap((band) => band.quantiles),
      before: tried.before.map((_, j) => bands.flatMap((band) => band.before[j])),
    },
    shares: [["network", 1 - sum(near)], ...others],
  };
}

/** The shares of the candidates in the first steps. */
function meanShares(bands, edges) {
  const first = bands.filter((_, k) => edges[k] < BANDS.at(-1));
  const steps = edges[first.length];
  return first[0].shares.now.map((_, n) =>
    sum(first.map((band, k) => ((edges[k + 1] - edges[k]) / steps) * band.shares.now[n])),
  );
}

/** Steps that are weighed by themselves. */
function inBand(tried, candidates, first, end) {
  const own = {
    ...tried,
    quantiles: tried.quantiles.slice(first, end),
    before: tried.before.map((rows) => rows.slice(first, end)),
    actual: tried.actual.map((row) => row.slice(first, end)),
  };
  const parts = [own.quantiles.flat(), own.before.flat(2), own.actual.flat()];
  const isPositive = parts.every((values) => !values.some((value) => value <= 0));
  const said = candidates.map((one) => saidBy(one, own, first, end, isPositive));
  const shares = sharesOf(own, said);
  const low = smallest(parts.map(smallest));
  return { shares, ...moved(own, said, shares, isPositive, low === 0) };
}

/** What a candidate says of some steps; what it does not know, the network says. */
function saidBy(one, own, first, end, isPositive) {
  const possible = (value) => (isPositive && value <= 0 ? NaN : value);
  const result = one.result.slice(first, end).map(possible);
  const before = one.before.map((row) => row.slice(first, end).map(possible));
  const known = result.every(Number.isFinite);
  const finite = (rows) => rows.flat().filter(Number.isFinite).length;
  const medians = own.before.map((rows) => rows.map((row) => row[MIDDLE]));
  const orOwn = (value, other) => (Number.isFinite(value) ? value : other);
  return {
    known,
    judged: 2 * finite(before) >= finite(medians),
    result: result.map((value, h) => orOwn(value, own.quantiles[h][MIDDLE])),
    before: before.map((row, j) => row.map((value, h) => orOwn(value, medians[j][h]))),
  };
}

/** Weights of the candidates: now, and as the halves of the held-out cutoffs say. */
function sharesOf(own, said) {
  const errors = errorsOf(own, said);
  const values = own.actual.flat().filter(isKnown);
  const mostlyZero = 2 * values.filter((value) => value === 0).length > values.length;
  const used = errors.counts.map((count) => count > 0);
  const { ratios: overall } = relative(errors, used);
  const counts = overall.map((ratio) => ratio < CLEAR_OF_ZEROS || !mostlyZero);
  const usable = said.map((one, n) => one.known && one.judged && counts[n]);
  const total = used.filter(Boolean).length;
  let seen = 0;
  const isNewer = used.map((here) => {
    seen += here ? 1 : 0;
    return 2 * seen <= total;
  });
  const drawn = (chosen) => drawnTowardsNone(relative(errors, chosen), usable);
  const every = drawn(used);
  const half = (chosen) => {
    const ratios = drawn(chosen);
    return ratios.map((ratio, n) => (ratio === Infinity ? every[n] : ratio));
  };
  const weigh = (ratios) => weights(ratios.map((ratio, n) => (usable[n] ? ratio : Infinity)));
  return {
    now: weigh(every),
    newer: weigh(half(used.map((here, j) => here && isNewer[j]))),
    older: weigh(half(used.map((here, j) => here && !isNewer[j]))),
    isNewer,
  };
}

/** Sums of absolute errors at each held-out cutoff. */
function errorsOf(own, said) {
  const horizon = own.quantiles.length;
  const misses = own.before.map((rows, j) =>
    rows.map((row, h) => Math.abs(row[MIDDLE] - own.actual[j][h])),
  );
  const counts = misses.map((row) => row.filter(Number.isFinite).length);
  const errors = said.map((one) =>
    misses.map((row, j) =>
      sum(
        row.map((miss, h) => {
          return Number.isFinite(miss) ? Math.abs(one.before[j][h] - own.actual[j][h]) : 0;
        }),
      ),
    ),
  );
  const ahead = own.cutoffs.map((cutoff) => own.count - cutoff);
  const possible = sum(ahead.map((steps) => Math.min(steps, horizon)));
  const windows = ((sum(counts) / Math.max(possible, 1)) * Math.max(0, ...ahead)) / horizon;
  const network = misses.map((row) => sum(row.filter(Number.isFinite)));
  return { network, errors, counts, windows };
}

/** Logarithms of errors relative to the network's, the newest first, and how many windows say so. */
function relative({ network, errors, counts, windows }, chosen) {
  const at = (values) => sum(values.filter((_, j) => chosen[j]));
  const faded = (values) => at(values.map((value, j) => value * FADE ** j));
  const own = faded(network);
  const others = errors.map(faded);
  const judged = own > 0 && Number.isFinite(own) && others.every(Number.isFinite);
  const share = at(counts) / Math.max(sum(counts), 1);
  const ratios = others.map((error) => Math.log(clip(judged ? error / own : 1, ...RATIOS)));
  return { ratios, windows: judged ? share * windows : 0 };
}

function drawnTowardsNone({ ratios, windows }, usable) {
  return ratios.map((ratio, n) => {
    const own = usable[n] ? windows : 0;
    const isEnough = own >= FEWEST_WINDOWS || (own >= 1 && ratio < CLEAR);
    return isEnough ? (own * ratio) / (own + TRUST) : Infinity;
  });
}

function weights(ratios) {
  const each = ratios.map((ratio) => Math.exp(-POWER * ratio));
  return each.map((one) => one / (NETWORK_PRIOR + sum(each)));
}

/** The network's quantiles, moved to the median of the combination. */
function moved(own, said, shares, isPositive, touchesZero) {
  const onAxis = (value) => (isPositive ? Math.log(value) : value);
  const apart = (value, row) => onAxis(value) - onAxis(row[MIDDLE]);
  const points = said.map((one) => ({
    result: one.result.map((value, h) => apart(value, own.quantiles[h])),
    before: one.before.map((row, j) => row.map((value, h) => apart(value, own.before[j][h]))),
  }));
  const limits = points.map((one) => limitOf(one.before, own.quantiles.length));
  const held = (value, n) => clip(value, -limits[n], limits[n]);
  const alone = sum(shares.now) === 0;
  const move = (row, away) => {
    if (alone) return row;
    const there = row.map((value) => {
      const z = onAxis(value) + away;
      return isPositive ? fromAxis(z, LOG) : z;
    });
    return touchesZero ? fromZero(there, row) : there;
  };
  const away = (weighing, at) => sum(weighing.map((weight, n) => weight * held(at(points[n]), n)));
  return {
    quantiles: own.quantiles.map((row, h) =>
      move(
        row,
        away(shares.now, (one) => one.result[h]),
      ),
    ),
    before: own.before.map((rows, j) => {
      const other = shares.isNewer[j] ? shares.older : shares.newer;
      return rows.map((row, h) =>
        move(
          row,
          away(other, (one) => one.before[j][h]),
        ),
      );
    }),
  };
}

/** How far a candidate lay from the network at nearly all held-out steps. */
function limitOf(before, horizon) {
  const distances = before.flat().map(Math.abs);
  const ordered = ascending(distances.map((one) => (Number.isFinite(one) ? one : Infinity)));
  const count = horizon * before.length;
  if (!count) return Infinity;
  return ordered[clip(Math.ceil(MOST_APART * count) - 1, 0, count - 1)];
}

/** Quantiles moved as ratios: bounds of 0 stay there. */
function fromZero(there, own) {
  const ratio = own[MIDDLE] > 0 ? clip(there[MIDDLE] / own[MIDDLE], ...ZERO_RATIOS) : 1;
  return own.map((value) => value * ratio);
}
