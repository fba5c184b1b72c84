// Seasons as known at each step: indices of every period, and how much of them to believe.
// lstmcast/model/inputs/seasons.py and tables.py have the reasons and the names.

import { clip, counting, isKnown } from "./numbers.mjs";
import { Table } from "./tables.mjs";

const SEASON = 0.8;
const LONG_RUN = 0.95;
const BESIDE_LONGER = 0.9;
const LATE = 0.3;
const WHOLE_CYCLE = 0.6;
const LEAST_SURPRISE = 0.05;
const PRIOR_WEIGHT = 4;
const PRIOR_SHARE = 0.5;
const PRIOR_WEIGHT_OF_OTHERS = 30;
const LEAST_OF_OTHERS = -0.5;
const ROUNDING = 1e-9; // predictions of a smaller share of a change are of nothing
const SWEEPS = 4;
const ZIGZAG = 4;
const CONTRAST = 8;
const MOST_CHANGE = 10;
const FEWEST_CHANGES = 8;
const MOST_DOUBTED = 3;

/** Periods, ascending, in chains of which each divides the next. */
function chainsOf(periods) {
  const chains = [];
  for (const m of periods) {
    const last = chains.at(-1);
    if (last && m % last.at(-1) === 0) last.push(m);
    else chains.push([m]);
  }
  return chains;
}

function tablesOf([shortest, ...longer]) {
  const slow = longer.length ? BESIDE_LONGER ** (shortest / longer[0]) : LONG_RUN;
  const tables = [
    { period: shortest, decay: SEASON, inner: shortest, first: 0 },
    { period: shortest, decay: slow, inner: shortest, first: 0 },
  ];
  longer.forEach((period, k) => {
    const inner = k === 0 ? shortest : longer[k - 1];
    tables.push({ period, decay: BESIDE_LONGER, inner, first: 2 + k });
  });
  return tables;
}

/** Tables whose shares are estimated together. */
class Family {
  constructor(periods) {
    this.periods = periods;
    this.specs = tablesOf(periods);
    this.lags = [Math.max(1, Math.floor(periods[0] / 6)), ...periods.slice(0, -1)];
    this.tables = this.specs.map((spec) => new Table(spec.period, spec.inner, spec.decay, true));
    this.late = periods.map((m) => {
      const own = this.specs.find((spec) => spec.period === m);
      return new Table(m, own.inner, LATE, false);
    });
    this.passed = periods.map(() => 0);
    this.moves = { steps: 0, known: 0, size: 0, pairs: 0 };
    this.square = this.specs.map(() => this.specs.map(() => 0));
    this.product = this.specs.map(() => 0);
    this.count = 0;
    this.changes = this.lags.map(() => [0, 0]); // Σ √|change|, their number
  }

  clone() {
    const copy = Object.assign(Object.create(Family.prototype), this);
    copy.tables = this.tables.map((table) => table.clone());
    copy.late = this.late.map((table) => table.clone());
    copy.passed = [...this.passed];
    copy.moves = { ...this.moves };
    copy.square = this.square.map((row) => [...row]);
    copy.product = [...this.product];
    copy.changes = this.changes.map((pair) => [...pair]);
    return copy;
  }

  /** Read the newest step; `explained`: tables of families before, with their shares. */
  read(series, explained) {
    const move = series.change(1);
    const moved = isKnown(move);
    this.moves.steps += series.seenAt(0) ? 1 : 0;
    this.moves.known += series.knownAt(0) ? 1 : 0;
    this.moves.size += moved ? Math.abs(move) : 0;
    this.moves.pairs += moved ? 1 : 0;
    const enough = (WHOLE_CYCLE * this.moves.known) / Math.max(this.moves.steps, 1);
    const least = (LEAST_SURPRISE * this.moves.size) / Math.max(this.moves.pairs, 1);
    this.periods.forEach((m, p) => this.readPeriod(series, explained, m, p, enough, least));
    this.shares = this.sharesNow(series, explained);
  }

  readPeriod(series, explained, m, p, enough, least) {
    const found = series.deviation(m, enough);
    for (const [table, share] of explained) found.value -= share * table.at(-(m >> 1));
    if (this.passed[p] > 0 || found.known) this.passed[p] += 1;
    this.specs.forEach((spec, k) => {
      if (spec.period === m) this.tables[k].add(found, least, this.passed[p]);
    });
    this.late[p].add(found, least, this.passed[p]);
  }

  sharesNow(series, explained) {
    const left = (change, lag) =>
      explained.reduce((rest, [table, share]) => rest - share * table.foretoldChange(lag), change);
    const foretold = (lag) => this.tables.map((table) => table.foretoldChange(lag));
    this.lags.forEach((lag, place) => {
      const change = left(this.limited(series.change(lag), place), lag);
      this.addChange(change, foretold(lag), place === 0);
    });
    if (this.lags[0] > 1 && this.tables[0].zigzags(this.lags[0], ZIGZAG, CONTRAST)) {
      const told = foretold(1);
      const most = MOST_CHANGE * Math.abs(told[0]);
      this.addChange(clip(left(series.change(1), 1), -most, most), told, true);
    }
    return this.ridge();
  }

  /** A change over a lag, and what each table foretold of it. */
  addChange(change, foretold, counts) {
    const least = ROUNDING * Math.abs(change);
    if (!foretold.some((one) => Math.abs(one) > least)) return;
    const columns = this.specs.map((spec, k) =>
      spec.first === k ? foretold[k] : foretold[k] - foretold[spec.first],
    );
    columns.forEach((column, k) => {
      this.product[k] += column * change;
      columns.forEach((other, j) => {
        this.square[k][j] += column * other;
      });
    });
    if (counts) this.count += 1;
  }

  /** A change that is not much larger than was usual before. */
  limited(change, place) {
    const [roots, count] = this.changes[place];
    const usual = (roots / Math.max(count, 1)) ** 2;
    const limit = count >= FEWEST_CHANGES ? MOST_CHANGE * usual : Infinity;
    if (!isKnown(change)) return change;
    this.changes[place] = [roots + Math.sqrt(Math.abs(change)), count + 1];
    return clip(change, -limit, limit);
  }

  /** Coefficients within their bounds, one after the other, as shares of the tables. */
  ridge() {
    const isFirst = this.specs.map((spec, k) => spec.first === k);
    const prior = isFirst.map((first) => (first ? PRIOR_SHARE : 0));
    const least = isFirst.map((first) => (first ? 0 : LEAST_OF_OTHERS));
    const penalty = isFirst.map((first, k) => {
      const weight = first ? PRIOR_WEIGHT : PRIOR_WEIGHT_OF_OTHERS;
      return (weight * this.square[k][k]) / Math.max(this.count, 1);
    });
    const shares = [...prior];
    const sweeps = shares.length > 1 ? SWEEPS : 1;
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      for (let k = 0; k < shares.length; k += 1) {
        const whole = this.square[k][k] + penalty[k];
        let rest = this.product[k] + penalty[k] * prior[k];
        shares.forEach((share, j) => {
          if (j !== k) rest -= this.square[k][j] * share;
        });
        shares[k] = whole > 0 ? clip(rest / whole, least[k], 1) : prior[k];
      }
    }
    this.specs.forEach((spec, k) => {
      if (spec.first !== k) shares[spec.first] -= shares[k];
    });
    return shares;
  }

  /** Its tables with their shares. */
  pairs() {
    return this.tables.map((table, k) => [table, this.shares[k]]);
  }

  /** The share of a period, at most 1. */
  shareOf(m) {
    const own = this.shares.filter((_, k) => this.specs[k].period === m);
    return Math.min(
      own.reduce((total, share) => total + share, 0),
      1,
    );
  }

  /** Add what it expects of the next steps, doubts, and saw of late. */
  addAhead(total) {
    this.periods.forEach((m, p) => {
      const own = this.pairs().filter((_, k) => this.specs[k].period === m);
      const share = this.shareOf(m);
      const doubt = (1 - share) * Math.min(1 / Math.max(share, 1e-9), MOST_DOUBTED);
      for (let h = 0; h < total.expected.length; h += 1) {
        const index = weighted(own, h + 1);
        const plain = share < 0.05 ? own[0][0].at(h + 1) : index / share;
        total.expected[h] += index;
        total.doubted[h] += doubt * index;
        total.late[h] += this.late[p].at(h + 1) - plain;
      }
    });
  }
}

const weighted = (pairs, distance) =>
  pairs.reduce((total, [table, share]) => total + share * table.at(distance), 0);

/** All periods: families of which each explains what those before it left. */
export class Seasons {
  constructor(periods, window, horizon) {
    this.families = chainsOf(periods).map((chain) => new Family(chain));
    this.window = window;
    this.horizon = horizon;
  }

  clone() {
    const copy = Object.assign(Object.create(Seasons.prototype), this);
    copy.families = this.families.map((family) => family.clone());
    return copy;
  }

  /** Read the newest step of a series: what is known of its seasons there. */
  read(series) {
    const zeros = (count) => counting(count).map(() => 0);
    const total = { past: zeros(this.window), share: 0, settled: false };
    for (const name of ["expected", "doubted", "late"]) total[name] = zeros(this.horizon);
    const explained = [];
    this.families.forEach((family, place) => {
      family.read(series, explained);
      const pairs = family.pairs();
      for (let w = 0; w < this.window; w += 1) total.past[w] += weighted(pairs, -w);
      family.addAhead(total);
      if (place === 0) total.share = family.shareOf(family.periods[0]);
      if (family.tables.some((table) => table.settled())) total.settled = true;
      explained.push(...pairs);
    });
    return total;
  }
}
