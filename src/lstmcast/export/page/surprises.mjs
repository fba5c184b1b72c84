// Single values unlike any before them, set aside; levels that shifted, read as if they had not.
// lstmcast/model/inputs/surprises.py has the reasons and the names.

import { LOG, ROOT } from "./axis.mjs";
import { seasonsOf } from "./context.mjs";
import { clip, higher, isKnown, lower } from "./numbers.mjs";

const LIMIT = 6;
const FLOOR = 0.02;
const MEMORY = 64;
const DOUBT = 4;
const FADE = 0.99;
const AT_ONCE = 2;
const LATELY = 12;
const EARLY_FAR = 20;
const EARLY_LARGEST = 10;
const CYCLE_MORE = 4;
const CYCLE_LARGEST = 4;
const EQUAL = 4;
const FAR = 10;
const CALM_FAR = 5;
const CALM = 10;
const SURE_AFTER = 8;
const MORE = 4;
const ROOT_SLACK = 4;
const BOTH = [0, 1]; // the value, and its change over a cycle

export class Surprises {
  constructor(periods, axis, tail) {
    const seasons = seasonsOf(periods);
    this.log = axis === LOG;
    this.slack = axis === ROOT ? ROOT_SLACK : 1;
    this.fewest = Math.max(SURE_AFTER, Math.max(1, ...seasons) + MORE);
    this.season = seasons[0] ?? 1;
    this.tail = tail;
    this.read = [[], []]; // values as they were read, and their changes over a cycle
    this.shift = 0;
    this.before = 0;
    this.side = 0;
    this.other = 0;
    this.doubt = 0;
    this.aside = [
      [NaN, NaN],
      [NaN, NaN],
    ]; // lowest and highest
    this.since = [0, 0];
    this.last = [NaN, NaN];
    this.change = [0, 0];
    this.weight = [0, 0];
    this.largest = [0, 0];
    this.largestBefore = [0, 0];
    this.count = [0, 0];
  }

  clone() {
    const copy = Object.assign(Object.create(Surprises.prototype), this);
    for (const [name, part] of Object.entries(this)) {
      if (Array.isArray(part))
        copy[name] = part.map((one) => (Array.isArray(one) ? [...one] : one));
    }
    return copy;
  }

  /** The next value, less the reference, as it is read: NaN where it is set aside. */
  next(z) {
    const before = this.season > 1 ? (this.read[0].at(-this.season) ?? NaN) : NaN;
    const range = BOTH.map((k) => this.recentRange(k));
    const allowed = this.allowed(this.largest);
    const now = withChange(z - this.shift, before);
    const returned = this.returned(z, before, range);
    const side = returned ? 0 : sideOf(now, range, allowed);
    const again = this.side !== 0 && side === this.side;
    const first = !returned && !again && sideOf(now, this.widened(range), allowed) !== 0;
    const jump = now[0] - this.expected(before);
    const small = Math.abs(jump) <= AT_ONCE * allowed[0];
    const aside = first && (small || this.isFar(now[0], range));
    this.moveShift(again || (first && !aside), returned, z, before);
    const back = this.doubt === DOUBT ? this.before - this.shift : 0;
    const read = withChange(aside ? NaN : z - this.shift, before);
    this.take(read);
    this.remember(first ? side : 0, now);
    if (isKnown(z)) {
      this.side = aside ? side : 0;
      this.other = aside ? jump : back;
    }
    return read[0];
  }

  /** What was fed back is no surprise. */
  nextFed(z) {
    const read = z - this.shift;
    this.read[0].push(read);
    this.read[1].push(NaN);
    return read;
  }

  recentRange(k) {
    const recent = this.read[k].slice(-this.tail);
    return [recent.reduce(lower, NaN), recent.reduce(higher, NaN)];
  }

  /** How far outside of the recent range a value may be, where changes so large have lasted. */
  allowed(largest) {
    return BOTH.map((k) => {
      const usual = this.usual(k);
      // what has never changed has no usual change: its first one says that something happened
      const least = Math.max(usual, this.log && usual > 0 ? FLOOR : 0);
      const allowed = this.slack * Math.max(LIMIT * least, largest[k]);
      if (this.count[k] >= this.fewest) return allowed;
      return k === 0 ? this.allowedEarly(largest[k], allowed) : Infinity;
    });
  }

  /** How far a value may be from the first ones. */
  allowedEarly(largest, allowed) {
    const [count] = this.count;
    if (largest === 0 && count >= EQUAL) return 0;
    if (this.season > 1 && count >= this.season + CYCLE_MORE)
      return Math.max(allowed, this.slack * CYCLE_LARGEST * largest);
    return this.log ? Math.max(Math.log(EARLY_FAR), EARLY_LARGEST * largest) : Infinity;
  }

  returned(z, before, range) {
    if (this.before === this.shift) return false;
    const allowed = this.allowed(this.largestBefore);
    const now = withChange(z - this.shift, before);
    const back = withChange(z - this.before, before);
    const left = sideOf(now, range, allowed) !== 0;
    const there = sideOf(back, range, allowed) === 0;
    const expected = this.expected(before);
    const nearer = Math.abs(back[0] - expected) < Math.abs(now[0] - expected);
    return (this.doubt > 0 && nearer) || (left && there);
  }

  /** The range with what was set aside lately or a cycle ago within it: it may be a habit. */
  widened(range) {
    const cycles = [this.season, this.tail];
    const recent = this.since.map(
      (since) => since <= LATELY || cycles.some((cycle) => Math.abs(since - cycle) <= 1),
    );
    return BOTH.map((k) => {
      const [low, high] = BOTH.map((end) => (recent[end] ? this.aside[end][k] : NaN));
      return [lower(range[k][0], low), higher(range[k][1], high)];
    });
  }

  isFar(value, range) {
    const [low, high] = range[0];
    const far = this.log ? this.farRatio() : FAR * (high - low);
    return value > high + far || value < low - far;
  }

  /** How much larger than all recent values one must be to be an error rather than a level. */
  farRatio() {
    const usual = this.usual(0);
    return usual > 0 ? clip(CALM * usual, Math.log(CALM_FAR), Math.log(FAR)) : Math.log(FAR);
  }

  /** The usual change from one value to the next. */
  usual(k) {
    return this.change[k] / Math.max(this.weight[k], 1);
  }

  expected(before) {
    const expected = before + this.last[1];
    return isKnown(expected) ? expected : this.last[0];
  }

  moveShift(again, returned, z, before) {
    const fresh = again ? z - this.expected(before) : this.shift;
    const shift = returned ? this.before : fresh;
    const moved = Math.abs(shift - this.shift);
    const kept = returned ? this.largestBefore : this.largest;
    const largest = again ? this.largest.map((one) => higher(one, moved)) : [...kept];
    const left = Math.max(this.doubt - (isKnown(z) ? 1 : 0), 0);
    if (again || returned) {
      this.before = this.shift;
      this.largestBefore = [...this.largest];
    }
    this.shift = shift;
    this.largest = largest;
    if (again) this.doubt = DOUBT;
    else this.doubt = returned ? 0 : left;
  }

  /** Remember a value that was read and its change over a cycle. */
  take(read) {
    for (const k of BOTH) {
      const change = Math.abs(read[k] - this.last[k]);
      const changed = isKnown(change);
      const size = changed ? change : 0;
      const keep = changed ? 1 - 1 / MEMORY : 1;
      this.since[k] += 1;
      this.change[k] = keep * this.change[k] + size;
      this.weight[k] = keep * this.weight[k] + (changed ? 1 : 0);
      this.largest[k] = Math.max((changed ? FADE : 1) * this.largest[k], size);
      if (isKnown(read[k])) {
        this.last[k] = read[k];
        this.count[k] += 1;
      }
      this.read[k].push(read[k]);
    }
  }

  remember(side, now) {
    [-1, 1].forEach((end, k) => {
      if (side !== end) return;
      this.aside[k] = [...now];
      this.since[k] = 1;
    });
  }
}

const withChange = (value, before) => [value, value - before];

/** Whether values lie too far below (−1) or above (1) a range, or their changes do, else 0. */
function sideOf(now, range, allowed) {
  const above = BOTH.some((k) => now[k] > range[k][1] + allowed[k]);
  const below = BOTH.some((k) => now[k] < range[k][0] - allowed[k]);
  return (above ? 1 : 0) - (below ? 1 : 0);
}
