// The calendar year, known from the whole past of a series in fixed memory.
// lstmcast/model/inputs/slow_clock.py and effects.py have the reasons and the names.

import { LINEAR, LOG, toAxis } from "./axis.mjs";
import { clip, counting, exponentOf, isKnown, median, product } from "./numbers.mjs";
import { Sums, fit } from "./regression.mjs";

const HARMONICS = 10;
const YEAR = 365.25;
const LEAST_GAIN = 3;
const TREND = 1000;
const EARLY = 2.75; // years, before which a year takes more evidence
const EARLY_GAIN = 12;
const LIMIT = 3;
const SPREAD = 1.4826;
const FIRST_FITS = 3;
const SHARE_KEPT = 0.7;
const SHARE_PRIOR = 4;
const SECONDS = { minute: 60, hour: 3600, day: 86400 };
const MOST_STEPS = 288;
const USUAL = { steps: 1, week: 7, year: YEAR, first: 64, renewal: 128, fewest: 550 };

/** How steps make days and years, and when solutions are renewed; null where there is no year. */
export function clockOf(unit, every) {
  if (unit === "business day" && every === 1) return { ...USUAL, week: 5, year: (YEAR * 5) / 7 };
  if (unit === "week" && every === 1) {
    return { steps: 1, week: 1, year: YEAR / 7, first: 26, renewal: 26, fewest: 208 };
  }
  const step = (SECONDS[unit] ?? 0) * every;
  const steps = step > 0 ? SECONDS.day / step : 0;
  const whole = steps >= 1 && Number.isInteger(steps) && steps <= MOST_STEPS;
  return whole ? { ...USUAL, steps } : null;
}

const renewals = (clock, steps) => {
  const days = Math.floor(steps / clock.steps);
  return Math.floor(Math.max(days - clock.first + clock.renewal, 0) / clock.renewal);
};

/** The effects of the year in force at each step of a series; null where there are none. */
export function yearOf(values, unit, every, isLog) {
  const clock = clockOf(unit, every);
  if (!clock || values.length < clock.fewest * clock.steps) return null;
  const axis = isLog ? LOG : LINEAR;
  const year = new Year(clock);
  year.read(values.map((value) => toAxis(value, axis)));
  return year.solutions.some((one) => one.some((value) => value !== 0)) ? year : null;
}

class Year {
  constructor(clock) {
    this.clock = clock;
    this.base = 2 + clock.week;
    this.columns = this.base + 2 * HARMONICS;
    this.sums = new Sums(this.columns);
    this.fitted = { coefficients: new Array(this.columns).fill(0), phi: 0, noise: 0 };
    this.came = [0, 0];
    this.reference = NaN;
    this.last = NaN;
    this.solutions = [new Array(2 * HARMONICS).fill(0)]; // before the first renewal
  }

  read(z) {
    const { steps, first, renewal } = this.clock;
    const days = counting(Math.floor(z.length / steps)).map((day) => {
      let total = 0;
      for (let k = 0; k < steps; k += 1) total += z[day * steps + k];
      return total / steps;
    });
    for (let begin = 0, end = first; end <= days.length; begin = end, end += renewal) {
      this.renew(days.slice(begin, end), begin);
    }
  }

  /** A chunk of days is complete: a new solution is in force. */
  renew(days, first) {
    if (!isKnown(this.reference)) this.reference = days.find(isKnown) ?? NaN;
    const power = exponentOf(isKnown(this.reference) ? this.reference : 0);
    const unit = this.reference ? 2 ** (power - 1) : 1;
    const z = [this.last, ...days].map((value) => (value - this.reference) / unit);
    const columns = z.map((_, d) => this.columnsAt(first - 1 + d));
    let weights;
    if (first === 0) {
      weights = this.firstWeights(columns, z);
    } else {
      weights = weightsOf(columns, z, this.fitted);
      this.came = this.cameOf(columns, z, weights);
    }
    addDays(this.sums, columns, z, weights);
    if (!this.sums.isSound) this.sums = new Sums(this.columns);
    this.fitted = this.solve(this.sums);
    const share = clip((this.came[0] + SHARE_PRIOR) / (this.came[1] + SHARE_PRIOR), 0, 1);
    const year = this.fitted.coefficients.slice(this.base);
    this.solutions.push(year.map((value) => value * (unit * share)));
    this.last = days.at(-1);
  }

  /** The columns of the regression on a day: trend, days of the week, the year. */
  columnsAt(day) {
    const { week, steps, year } = this.clock;
    const trend = day / TREND;
    const weekday = ((day % week) + week) % week;
    const days = counting(week - 1).map((k) => (weekday === k + 1 ? 1 : 0));
    const angle = ((2 * Math.PI) / year) * (day + (steps - 1) / (2 * steps));
    const waves = counting(HARMONICS).map((k) => k + 1);
    return [
      1,
      trend,
      trend * trend,
      ...days,
      ...waves.map((k) => Math.cos(k * angle) / k),
      ...waves.map((k) => Math.sin(k * angle) / k),
    ];
  }

  solve(sums) {
    const { fewest, year } = this.clock;
    const least = sums.weight < EARLY * year ? EARLY_GAIN : LEAST_GAIN;
    if (sums.weight >= fewest) return fit(sums, this.base, this.columns, least);
    const alone = fit(sums, this.base, this.base, 0);
    const nothing = new Array(this.columns - this.base).fill(0);
    return { ...alone, coefficients: [...alone.coefficients, ...nothing] };
  }

  /** The weights of the first chunk, by the solutions that it gives itself. */
  firstWeights(columns, z) {
    let weights = z.slice(1).map((value, d) => (isKnown(value) && isKnown(z[d]) ? 1 : 0));
    for (let k = 0; k < FIRST_FITS; k += 1) {
      const sums = new Sums(this.columns);
      addDays(sums, columns, z, weights);
      weights = weightsOf(columns, z, { ...this.solve(sums), noise: 0 });
    }
    return weights;
  }

  /** The sums of the share of what was foretold that came, after a chunk. */
  cameOf(columns, z, weights) {
    const { coefficients, phi, noise } = this.fitted;
    const year = coefficients.map((value, k) => (k < this.base ? 0 : value));
    const rest = coefficients.map((value, k) => (k < this.base ? value : 0));
    const without = z.map((value, d) => value - product(columns[d], rest));
    const foretold = columns.map((own) => product(own, year));
    const unit = noise > 0 ? noise : Infinity;
    const added = [0, 0];
    weights.forEach((weight, d) => {
      const said = (foretold[d + 1] - phi * foretold[d]) / unit;
      const came = (without[d + 1] - phi * without[d]) / unit;
      added[0] += weight * said * (Number.isFinite(came) ? came : 0);
      added[1] += weight * said * said;
    });
    return this.came.map((kept, k) => SHARE_KEPT * kept + added[k]);
  }

  /** The effect at a step and at so many after it, as known there. */
  at(step, horizon) {
    const solution = this.solutions[Math.max(renewals(this.clock, step + 1), 0)];
    if (!solution) return null;
    const turn = (2 * Math.PI) / this.clock.year / this.clock.steps;
    return counting(1 + horizon).map((distance) => {
      let total = 0;
      for (let k = 1; k <= HARMONICS; k += 1) {
        const angle = k * turn * (step + distance);
        total += (solution[k - 1] / k) * Math.cos(angle);
        total += (solution[HARMONICS + k - 1] / k) * Math.sin(angle);
      }
      return total;
    });
  }

  /** The effects of so many steps after one, as known there. */
  ahead(step, steps) {
    return this.at(step, steps).slice(1);
  }
}

function addDays(sums, columns, z, weights) {
  const whole = columns.map((own, d) => [...own, isKnown(z[d]) ? z[d] : 0]);
  weights.forEach((weight, d) => sums.add(whole[d + 1], whole[d], weight));
}

/** How much each day counts beside the one before it: less where it is a surprise. */
function weightsOf(columns, z, { coefficients, phi, noise }) {
  const rest = z.map((value, d) => value - product(columns[d], coefficients));
  const surprises = rest.slice(1).map((value, d) => Math.abs(value - phi * rest[d]));
  const known = surprises.filter(isKnown);
  const usual = known.length ? SPREAD * median(known) : 0;
  const limit = LIMIT * Math.max(noise, usual);
  return surprises.map((surprise) => {
    if (!isKnown(surprise)) return 0;
    return limit > 0 && surprise > limit ? (limit / surprise) ** 2 : 1;
  });
}
