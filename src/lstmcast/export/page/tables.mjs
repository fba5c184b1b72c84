// Seasonal indices of one period: a decayed mean for each phase, as known at each step.
// lstmcast/model/inputs/tables.py has the reasons and the names.

import { clip } from "./numbers.mjs";

const LIMIT = 8;
const SURPRISE_RATE = 0.2;
const SETTLED = 1.5;

const zeros = (count) => new Array(count).fill(0);

/** Sums of the first so many numbers, which grow with a list. */
class Sums {
  constructor(count) {
    this.upTo = zeros(count + 1);
  }

  push(value) {
    this.upTo.push(this.upTo.at(-1) + value);
  }

  between(first, last) {
    return this.upTo[last] - this.upTo[first];
  }

  clone() {
    const copy = new Sums(0);
    copy.upTo = [...this.upTo];
    return copy;
  }
}

export class Table {
  /** `limits`: whether what is far beyond the usual goes in only so far. */
  constructor(period, inner, decay, limits) {
    this.period = period;
    this.inner = inner;
    this.decay = decay;
    this.limits = limits;
    this.steps = 0;
    this.passed = 0;
    this.sum = zeros(period);
    this.weight = zeros(period);
    this.mean = zeros(period);
    this.innerMean = zeros(period);
    this.surprise = zeros(2 * period);
    this.surpriseSums = new Sums(2 * period);
    this.surpriseCounts = new Sums(2 * period);
    this.meanSums = new Sums(period);
    this.knownCounts = new Sums(period);
  }

  clone() {
    const copy = Object.assign(Object.create(Table.prototype), this);
    for (const [name, part] of Object.entries(this)) {
      if (Array.isArray(part)) copy[name] = [...part];
      else if (part instanceof Sums) copy[name] = part.clone();
    }
    return copy;
  }

  /** A deviation more: it goes into the index of its phase. */
  add(found, least, passed) {
    const { period: m, steps: t } = this;
    const weight = this.weight[t];
    const mean = weight > 0 ? this.sum[t] / weight : this.sum[t];
    const surprise = this.limits ? this.surpriseOf(found, weight, mean, least) : 0;
    let taken = found.value;
    if (this.limits && weight > 0) taken = mean + surprise;
    this.sum.push(found.known ? this.decay * this.sum[t] + taken : this.sum[t]);
    this.weight.push(found.known ? this.decay * weight + 1 : weight);
    if (this.limits) this.rememberSurprise(found, weight, surprise);
    const newWeight = this.weight[m + t];
    this.mean.push(newWeight > 0 ? this.sum[m + t] / newWeight : 0);
    this.meanSums.push(this.mean[m + t]);
    this.knownCounts.push(newWeight > 0 ? 1 : 0);
    this.innerMean.push(this.strided(m + t));
    this.steps += 1;
    this.passed = passed;
  }

  surpriseOf(found, weight, mean, least) {
    if (!found.known || weight <= 0) return 0;
    const { period: m, steps: t } = this;
    const count = this.surpriseCounts.between(t, t + m);
    const usual = Math.max(this.surpriseSums.between(t, t + m) / Math.max(count, 1), least);
    const limit = weight >= SETTLED ? LIMIT * usual : Infinity;
    return clip(found.value - mean, -limit, limit);
  }

  rememberSurprise(found, weight, surprise) {
    const before = this.surprise[this.period + this.steps];
    let rate = 0;
    if (found.known && weight > 0) rate = weight <= 1 ? 1 : SURPRISE_RATE;
    const now = before + rate * (Math.abs(surprise) - before);
    this.surprise.push(now);
    this.surpriseSums.push(now);
    this.surpriseCounts.push(now > 0 ? 1 : 0);
  }

  /** Mean over the columns a multiple of the inner period back: what that repeats. */
  strided(column) {
    if (this.inner === this.period) return this.mean[column];
    let total = 0;
    let count = 0;
    for (let back = 0; back < this.period && back <= column; back += this.inner) {
      total += this.mean[column - back];
      count += this.weight[column - back] > 0 ? 1 : 0;
    }
    return total / Math.max(count, 1);
  }

  /** Where the newest index of the phase at a distance stands, as known `asof` steps earlier. */
  column(cycle, distance, asof) {
    const ahead = distance + asof + (this.period >> 1);
    const first = this.period + ahead - cycle * Math.ceil(ahead / cycle) - asof;
    return first + this.steps - 1;
  }

  isWhole(asof) {
    const end = this.period + this.steps - asof;
    const count = this.knownCounts.between(end - this.period, end);
    return count >= 2 && this.passed - asof >= 0.9 * this.period;
  }

  /** Index for the step at a distance from the newest one. */
  at(distance) {
    const place = this.column(this.period, distance, 0);
    if (!(this.weight[place] > 0) || !this.isWhole(0)) return 0;
    if (this.inner < this.period) {
      return this.mean[place] - this.innerMean[this.column(this.inner, distance, 0)];
    }
    const end = this.period + this.steps;
    const count = this.knownCounts.between(end - this.period, end);
    return this.mean[place] - this.meanSums.between(end - this.period, end) / Math.max(count, 1);
  }

  /** What was foretold one step earlier of the change over so many steps. */
  foretoldChange(lag) {
    const first = this.column(this.period, -lag, 1);
    const last = this.column(this.period, 0, 1);
    const both = this.weight[first] > 0 && this.weight[last] > 0;
    return both && this.isWhole(1) ? this.before(0) - this.before(-lag) : 0;
  }

  /** Whether the newest changes from step to step are foretold to be far larger than over a lag. */
  zigzags(lag, steps, times) {
    if (!this.isWhole(1)) return false;
    const mean = (distance) => this.mean[this.column(this.period, distance, 1)];
    for (let k = 0; k < steps; k += 1) {
      const nextTo = Math.abs(mean(-k) - mean(-k - 1));
      if (!(nextTo > times * Math.abs(mean(-k) - mean(-k - lag)))) return false;
    }
    return true;
  }

  before(distance) {
    const index = this.mean[this.column(this.period, distance, 1)];
    if (this.inner === this.period) return index;
    return index - this.innerMean[this.column(this.inner, distance, 1)];
  }

  /** Whether the indices became known at the newest step. */
  settled() {
    return this.isWhole(0) && !this.isWhole(1);
  }
}
