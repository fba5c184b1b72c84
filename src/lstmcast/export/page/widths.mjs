// How wide intervals are in one phase of a season beside another.
// lstmcast/model/inputs/widths.py has the reasons and the names.

import { clip, counting, isKnown } from "./numbers.mjs";

const SHORTEST_SEASON = 24;
const DECAY = 0.977;
const PRIOR = 5;
const POWER = 0.75;
const LEAST = 0.33;
const MOST = 3;

/** Decayed changes over one season, and their number, of each phase; the newest one last. */
export class Widths {
  constructor(periods) {
    const [shortest = 0] = periods;
    this.m = shortest >= SHORTEST_SEASON ? shortest : 0;
    this.changes = counting(this.m).map(() => 0);
    this.counts = counting(this.m).map(() => 0);
  }

  clone() {
    const copy = Object.assign(Object.create(Widths.prototype), this);
    copy.changes = [...this.changes];
    copy.counts = [...this.counts];
    return copy;
  }

  /** One more step, and the change that came with it; NaN where it is not known. */
  push(change) {
    if (!this.m) return;
    const known = isKnown(change);
    const [change0, count0] = [this.changes.shift(), this.counts.shift()];
    this.changes.push(known ? DECAY * change0 + Math.abs(change) : change0);
    this.counts.push(known ? DECAY * count0 + 1 : count0);
  }

  /** Widths of the next steps beside each other; null where all are alike. */
  ahead(horizon) {
    if (!this.m) return null;
    const total = (phases) => phases.reduce((sum, one) => sum + one, 0);
    const number = total(this.counts);
    const mean = total(this.changes) / (number > 0 ? number : 1);
    return counting(horizon).map((h) => {
      const change = this.smooth(this.changes, h + 1) + PRIOR * mean;
      const usual = (this.smooth(this.counts, h + 1) + PRIOR) * mean;
      return clip(usual > 0 ? change / usual : 1, LEAST, MOST) ** POWER;
    });
  }

  /** What is known of the phase so many steps ahead, averaged with its neighbours. */
  smooth(phases, ahead) {
    const at = (steps) => phases[(steps + this.m - 1) % this.m];
    return 0.25 * (at(ahead - 1) + at(ahead + 1)) + 0.5 * at(ahead);
  }
}
