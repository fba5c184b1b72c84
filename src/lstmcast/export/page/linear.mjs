// A linear map from what is known of a series to each of its next steps, fitted in closed form.
// lstmcast/evaluation/linear.py has the reasons and the names.

import { startOf } from "./context.mjs";
import { counting, isKnown, solved, sum } from "./numbers.mjs";

const NEWEST = 8;
const CYCLES = 2;
const FEWEST = 8;
const MOST = 128;
const RIDGE = 0.1;
const PER_OCTAVE = 8;

/** The forecasts of maps that are fitted anew whenever what is known has grown by a tenth. */
export function linearMap(panel, periods) {
  const maps = new Map();
  return (count, horizon) => {
    const first = startOf(count, panel.periods);
    const fitted = placeOf(count - first);
    const key = `${first} ${fitted} ${horizon}`;
    if (!maps.has(key)) maps.set(key, new Fit(panel.values, first, fitted, periods, horizon));
    return maps.get(key).points(count - first);
  };
}

function placeOf(known) {
  const octave = Math.floor(Math.log2(Math.max(known, 1)) * PER_OCTAVE) / PER_OCTAVE;
  return Math.min(Math.floor(2 ** octave + 1e-9), known);
}

class Fit {
  constructor(values, first, count, periods, horizon) {
    Object.assign(this, { count, horizon });
    this.carried = carriedFrom(values, first);
    const enough = [0, ...periods].filter((m) => {
      return count - Math.max(CYCLES * m, NEWEST) - horizon + 1 >= FEWEST;
    });
    this.periods = periods.slice(0, Math.max(enough.length - 1, 0));
    this.maps = enough.length ? this.fitted() : null;
  }

  /** What is read of the series after so many values, relative to the mean of the newest. */
  example(known) {
    const newest = counting(NEWEST).map((n) => this.carried[known - 1 - n] ?? NaN);
    const base = sum(newest) / NEWEST;
    const phases = counting(this.horizon).map((h) =>
      this.periods.flatMap((m) =>
        counting(CYCLES).map((c) => (this.carried[known - (c + 1) * m + (h % m)] ?? NaN) - base),
      ),
    );
    return { newest: newest.map((value) => value - base), phases, base };
  }

  examples() {
    const reach = Math.max(NEWEST, CYCLES * Math.max(0, ...this.periods));
    const count = this.count - this.horizon - reach + 1;
    const stride = Math.ceil(count / MOST);
    const chosen = [];
    for (let known = this.count - this.horizon; known >= reach; known -= stride) {
      const read = this.example(known);
      const target = counting(this.horizon).map((h) => this.carried[known + h] - read.base);
      const whole = isKnown(read.base) && target.every(isKnown) && read.phases.flat().every(isKnown);
      if (whole) chosen.push({ ...read, target });
    }
    return chosen;
  }

  /** Ridge regression by blocks: what the newest values leave unexplained, the phases have to. */
  fitted() {
    const examples = this.examples();
    if (examples.length < FEWEST) return null;
    const S = CYCLES * this.periods.length;
    const prior = priorOf(examples, S, this.horizon);
    const gram = ridged(NEWEST, prior, (i, j) =>
      sum(examples.map((one) => one.newest[i] * one.newest[j])),
    );
    return counting(this.horizon).map((h) => {
      const cross = counting(NEWEST).map((i) => {
        const onPhases = counting(S).map((s) =>
          sum(examples.map((one) => one.newest[i] * one.phases[h][s])),
        );
        return [...onPhases, sum(examples.map((one) => one.newest[i] * one.target[h]))];
      });
      return this.mapOf(examples, h, S, prior, cross, solved(gram, cross));
    });
  }

  mapOf(examples, h, S, prior, cross, alone) {
    const explained = (s, c) => sum(cross.map((row, i) => row[s] * alone[i][c]));
    const square = ridged(S, prior, (s, r) =>
      sum(examples.map((one) => one.phases[h][s] * one.phases[h][r])),
    );
    const rest = square.map((row, s) => row.map((value, r) => value - explained(s, r)));
    const target = counting(S).map((s) => {
      const whole = sum(examples.map((one) => one.phases[h][s] * one.target[h]));
      return [whole - explained(s, S)];
    });
    const phases = S ? solved(rest, target).map((row) => row[0]) : [];
    const newest = alone.map((row) => row[S] - sum(phases.map((one, s) => row[s] * one)));
    return { newest, phases };
  }

  points(known) {
    if (!this.maps) return new Array(this.horizon).fill(NaN);
    const read = this.example(known);
    return this.maps.map((map, h) => {
      const near = sum(map.newest.map((weight, n) => weight * read.newest[n]));
      return read.base + near + sum(map.phases.map((weight, s) => weight * read.phases[h][s]));
    });
  }
}

/** Values from a place on, each missing one as the newest known one since. */
function carriedFrom(values, first) {
  let newest = NaN;
  return values.slice(first).map((value) => {
    if (isKnown(value)) newest = value;
    return newest;
  });
}

function priorOf(examples, S, horizon) {
  const squares = (values) => sum(values.map((value) => value * value));
  const near = sum(examples.map((one) => squares(one.newest)));
  const square = near + sum(examples.map((one) => squares(one.phases.flat()))) / horizon;
  return (RIDGE * square) / (NEWEST + S) + (square > 0 ? 0 : 1);
}

const ridged = (size, prior, at) =>
  counting(size).map((i) => counting(size).map((j) => at(i, j) + (i === j ? prior : 0)));
