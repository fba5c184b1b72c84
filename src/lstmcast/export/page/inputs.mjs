// Adaptive inputs: what the network is shown of a series, and the way back.
// lstmcast/model/inputs/adaptive.py has the reasons and the names.

import { LINEAR, LOG, ROOT, fromAxis, toAxis } from "./axis.mjs";
import { LONGEST, seasonsOf } from "./context.mjs";
import { clip, counting, isKnown } from "./numbers.mjs";
import { Seasons } from "./seasons.mjs";
import { Surprises } from "./surprises.mjs";
import { Widths } from "./widths.mjs";

export const WINDOW = 12;
export const FAMILIES = ["yearly", "quarterly", "monthly", "weekly", "daily", "hourly", "other"];
const CLIP = 20;
const CALM = -5;
const SMOOTHING = [0.5, 0.2, 0.05, 0];
const SHORTEST_MEMORY = 32;
const MEMORY_CYCLES = 4;
const RELEARN = 0.1;
const LOG_PRIOR_SCALE = 0.05;
const LOG_PRIOR_COUNT = 3;
const SHORTEST = 4;
const OUTER = 2;
const MIDDLE = 3; // of seven quantiles
const MOST = Number.MAX_VALUE;

/** A series as it is read, step by step; nothing before its first step. */
class Read {
  constructor() {
    this.filled = []; // 0 where nothing is known
    this.known = [];
    this.seen = [];
    this.level = [];
    this.sums = [0];
    this.counts = [0];
  }

  clone() {
    const copy = new Read();
    for (const [name, part] of Object.entries(this)) copy[name] = [...part];
    return copy;
  }

  get length() {
    return this.filled.length;
  }

  push(z) {
    const here = isKnown(z);
    this.filled.push(here ? z : 0);
    this.known.push(here);
    this.seen.push(here || (this.seen.at(-1) ?? false));
    this.sums.push(this.sums.at(-1) + this.filled.at(-1));
    this.counts.push(this.counts.at(-1) + (here ? 1 : 0));
  }

  seenAt(back) {
    return this.seen[this.length - 1 - back] ?? false;
  }

  knownAt(back) {
    return this.known[this.length - 1 - back] ?? false;
  }

  valueAt(back) {
    return this.filled[this.length - 1 - back] ?? 0;
  }

  levelAt(back) {
    return this.level[this.length - 1 - back] ?? 0;
  }

  change(lag) {
    const both = this.knownAt(0) && this.knownAt(lag);
    return both ? this.valueAt(0) - this.valueAt(lag) : NaN;
  }

  /** How far the step half a cycle back lies from the mean of its cycle, and whether it is known. */
  deviation(m, enough) {
    const half = m >> 1;
    const total = this.cycleSum(m, this.sums, (back) => this.valueAt(back));
    const weight = this.cycleSum(m, this.counts, (back) => (this.knownAt(back) ? 1 : 0));
    const known = this.knownAt(half) && this.seenAt(2 * half) && weight >= enough * m;
    return { value: this.valueAt(half) - total / Math.max(weight, 1), known };
  }

  /** The sum over the newest cycle; an even one takes half of both its ends. */
  cycleSum(m, sums, at) {
    const upTo = (place) => sums[Math.max(place, 0)];
    const end = this.length;
    if (m % 2) return upTo(end) - upTo(end - m);
    return upTo(end) - upTo(end - m - 1) - 0.5 * (at(0) + at(m));
  }
}

/** All that is remembered of a series that was read. */
export class Inputs {
  constructor({ periods, family, axis, unit, horizon }) {
    this.periods = seasonsOf(periods);
    Object.assign(this, { family, axis, unit, horizon });
    this.series = new Read();
    this.surprises = new Surprises(periods, axis, Math.max(WINDOW, ...this.periods));
    this.seasons = new Seasons(this.periods, WINDOW, horizon);
    this.widths = new Widths(this.periods);
    this.reference = NaN;
    this.first = NaN;
    this.constant = true;
    this.age = 0;
    this.smooth = SMOOTHING.map(() => 0);
    this.scaleSums = [0, 0, 1];
    this.ahead = null; // effects of coming steps, while answers are fed back
  }

  clone() {
    const copy = Object.assign(Object.create(Inputs.prototype), this);
    for (const part of ["series", "surprises", "seasons", "widths"]) copy[part] = this[part].clone();
    copy.smooth = [...this.smooth];
    copy.scaleSums = [...this.scaleSums];
    return copy;
  }

  /** Read a value in the units of the data; `effect`: at its step and at the coming ones. */
  advance(value, effect) {
    if (!isKnown(this.first)) this.first = value;
    const scaled = effect && effect.map((one) => one / this.unit);
    this.read(toAxis(value / this.unit, this.axis), scaled, true);
    this.known.value += this.first;
  }

  /** Read a point on the reading axis as if it had been observed. */
  feed(point) {
    const z = toAxis(fromAxis(point, this.axis), this.axis);
    let effect = null;
    if (this.ahead) {
      effect = this.ahead.slice(0, 1 + this.horizon);
      this.ahead = this.ahead.slice(1);
    }
    this.read(z, effect, false);
  }

  read(given, effect, observed) {
    let z = effect ? given - effect[0] : given;
    if (!isKnown(this.reference)) this.reference = z;
    z -= this.reference;
    z = observed ? this.surprises.next(z) : this.surprises.nextFed(z);
    this.series.push(z);
    if (this.series.knownAt(0)) this.age += 1;
    const seasons = this.seasons.read(this.series);
    const { m } = this.widths;
    this.widths.push(m ? this.series.change(m) : NaN);
    const adjusted = this.adjusted(seasons.past);
    const scale = this.scale(adjusted, seasons.settled);
    this.smoothLevel();
    this.x = this.channels(adjusted, scale, seasons);
    const { shift } = this.surprises;
    if ((isKnown(z) && z !== 0) || shift !== 0) this.constant = false;
    const begun = this.series.seenAt(0);
    const coming = (h) => seasons.expected[h] + (effect ? effect[1 + h] : 0);
    this.known = {
      level: begun ? this.series.levelAt(0) + this.reference + shift : 0,
      scale,
      seasonal: counting(this.horizon).map(coming),
      other: this.surprises.other,
      age: this.age,
      value: this.constant && begun && observed ? 0 : NaN,
      effect: effect ? effect[0] : 0,
    };
  }

  get begun() {
    return this.series.seenAt(0);
  }

  /** The newest values less their season, newest first; a missing one repeats the level then. */
  adjusted(past) {
    const { series } = this;
    const before = series.level.at(-1) ?? 0;
    series.level.push(series.knownAt(0) ? series.valueAt(0) - past[0] : before);
    return past.map((season, back) =>
      series.knownAt(back) ? series.valueAt(back) - season : series.levelAt(back),
    );
  }

  /** Mean absolute change, slowly forgetting; of logarithms it starts from a prior. */
  scale(adjusted, settled) {
    const use = this.series.knownAt(0) && this.series.knownAt(1);
    const change = use ? Math.abs(adjusted[0] - adjusted[1]) : 0;
    const memory = Math.max(SHORTEST_MEMORY, MEMORY_CYCLES * (this.periods[0] ?? 1));
    const keep = (use ? 1 - 1 / memory : 1) * (settled ? RELEARN : 1);
    const added = [change, use ? 1 : 0, 0];
    this.scaleSums = this.scaleSums.map((sum, k) => keep * sum + added[k]);
    const [total, count, prior] = this.scaleSums;
    const weight = this.axis === LOG ? LOG_PRIOR_COUNT * prior : 0;
    const all = count + weight;
    return (total + weight * LOG_PRIOR_SCALE) / (all > 0 ? all : 1);
  }

  smoothLevel() {
    if (!this.series.knownAt(0)) return;
    const level = this.series.levelAt(0);
    this.smooth = this.smooth.map((mean, k) => {
      const weight = Math.max(SMOOTHING[k], 1 / Math.max(this.age, 1));
      return mean + weight * (level - mean);
    });
  }

  /** What the network sees: values relative to the newest one, in units of the scale. */
  channels(adjusted, scale, seasons) {
    if (!this.series.seenAt(0)) return new Float64Array(this.width);
    const level = this.series.levelAt(0);
    const unit = scale > 0 ? scale : Infinity;
    const units = (value) => clip(value / unit, -CLIP, CLIP);
    const relative = adjusted.map((value) => units(value - level));
    return Float64Array.from([
      ...relative.slice(1),
      ...counting(WINDOW).map((back) => (this.series.knownAt(back) ? 1 : 0)),
      ...this.smooth.map((mean) => units(mean - level)),
      ...this.about(relative, scale, seasons.share),
      ...FAMILIES.map((family) => (family === this.family ? 1 : 0)),
      ...seasons.expected.map(units),
      ...seasons.doubted.map(units),
      ...seasons.late.map(units),
    ]);
  }

  get width() {
    return 2 * WINDOW - 1 + SMOOTHING.length + 6 + FAMILIES.length + 3 * this.horizon;
  }

  /** About the whole series: scale, recent against usual change, age, season, axis. */
  about(relative, scale, share) {
    let recent = 0;
    for (let w = 1; w < WINDOW; w += 1) recent += Math.abs(relative[w] - relative[w - 1]);
    const calm = this.axis === LINEAR ? CALM : -3;
    return [
      (this.axis === LOG ? Math.log(scale) : calm) + 3,
      Math.log(recent / (WINDOW - 1) + 0.05),
      Math.log1p(Math.min(this.age, LONGEST)) - 3.5,
      share,
      Math.log(this.periods.at(-1) ?? 1) - 1.5,
      this.axis === ROOT ? -1 : 1,
    ];
  }
}

/** Answers in units of the scale, as values on the reading axis. */
export function placed(answer, known) {
  return answer.map((quantiles, h) =>
    quantiles.map((value) => value * known.scale + (known.level + known.seasonal[h])),
  );
}

/** Quantiles as wide about their median as their steps are beside each other. */
export function stretched(rows, width) {
  if (!width) return rows;
  return rows.map((row, h) =>
    row.map((value) => row[MIDDLE] + (value - row[MIDDLE]) * width[h]),
  );
}

/** Values on the reading axis in the units of the data. */
export function inUnits(rows, known, axis, unit) {
  const young = known.age < SHORTEST;
  const newest = known.level + known.effect;
  const wide = reaching(rows, known.other);
  const values = wide.map((row) =>
    row.map((z) => {
      const moved = young ? z - row[MIDDLE] + newest : z;
      return clip(fromAxis(moved, axis) * unit, -MOST, MOST);
    }),
  );
  if (!isKnown(known.value)) return values;
  return values.map((row) =>
    row.map((value, q) => (q === MIDDLE ? known.value : value + (known.value - row[MIDDLE]))),
  );
}

/** Quantiles of which the outer two reach as far as the level that may hold as well. */
function reaching(rows, other) {
  if (other === 0) return rows;
  return rows.map((row) => {
    const there = row[MIDDLE] + other;
    return row.map((value, q) => {
      if (other < 0 && q < OUTER) return Math.min(value, there);
      return other > 0 && q >= row.length - OUTER ? Math.max(value, there) : value;
    });
  });
}
