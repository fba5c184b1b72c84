// Bayesian linear regression from sums of fixed size: the base without a prior, one group of
// columns with one. lstmcast/model/inputs/regression.py has the reasons and the names.

import { counting, inverse, solved, sum } from "./numbers.mjs";

export const PHIS = [0.3, 0.6, 0.8, 0.9, 0.97, 1];
const ITERATIONS = 8;
const RIDGE = 1e-10;
const SMALLEST = 1e-12;
const LEAST_PRIOR = 1e-18;
const TINY = 2.2250738585072014e-308;

/** Weighted sums over pairs of neighbouring days: of now × now, both, before × before. */
export class Sums {
  constructor(columns) {
    this.size = columns + 1; // the columns and z
    this.parts = counting(3).map(() => this.matrix());
    this.weight = 0;
  }

  matrix() {
    return counting(this.size).map(() => new Float64Array(this.size));
  }

  clone() {
    const copy = new Sums(this.size - 1);
    copy.parts = this.parts.map((part) => part.map((row) => row.slice()));
    copy.weight = this.weight;
    return copy;
  }

  /** `now`, `before`: the columns and z of two neighbouring days. */
  add(now, before, weight) {
    if (weight === 0) return;
    const [a, both, b] = this.parts;
    this.weight += weight;
    for (let i = 0; i < this.size; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        a[i][j] += weight * now[i] * now[j];
        both[i][j] += weight * (now[i] * before[j] + before[i] * now[j]);
        b[i][j] += weight * before[i] * before[j];
      }
    }
  }

  get isSound() {
    return this.parts.every((part) => part.every((row) => row.every(Number.isFinite)));
  }

  /** Sums of products of quasi-differences at a φ, of some of the columns and z. */
  at(phi, columns) {
    const kept = [...counting(columns), this.size - 1];
    const [a, both, b] = this.parts;
    return kept.map((i) =>
      kept.map((j) => {
        const [r, c] = i >= j ? [i, j] : [j, i];
        return a[r][c] - phi * both[r][c] + phi * phi * b[r][c];
      }),
    );
  }
}

/** The regression that sums give: with the columns after the base where they say enough. */
export function fit(sums, base, columns, leastGain) {
  const freedom = Math.max(sums.weight - base, 1);
  const each = PHIS.map((phi) => withoutBase(sums.at(phi, columns), base));
  const none = each.map(({ rest }) => baseAlone(rest, freedom));
  const best = bestOf(none);
  if (columns === base) return solution(none, each, best, 0, base);
  const most = none[best].evidence;
  const groups = each.map(({ rest }, f) => withGroup(rest, freedom, none[f], most));
  const chosen = bestOf(groups);
  const gain = groups[chosen].evidence - most;
  return gain >= leastGain
    ? solution(groups, each, chosen, gain, base)
    : solution(none, each, best, gain, base);
}

function bestOf(each) {
  return each.reduce((best, one, f) => (one.evidence > each[best].evidence ? f : best), 0);
}

function solution(each, parts, f, gain, base) {
  const { coefficients, variance } = each[f];
  const onBase = parts[f].solved.map((row) => {
    const rest = coefficients.reduce((total, b, k) => total + row[k] * b, 0);
    return row[row.length - 1] - rest;
  });
  return {
    coefficients: [...onBase.slice(0, base), ...coefficients],
    phi: PHIS[f],
    noise: Math.sqrt(variance),
    gain,
  };
}

/** What the base leaves of the other columns and of z, and its regression on each of these. */
function withoutBase(full, base) {
  const scale = counting(base).map((k) => (full[k][k] > 0 ? 1 / Math.sqrt(full[k][k]) : 0));
  const within = scale.map((own, i) =>
    scale.map((other, j) => full[i][j] * own * other + (i === j ? RIDGE : 0)),
  );
  const across = scale.map((own, i) => full[i].slice(base).map((value) => value * own));
  const onBase = solved(within, across);
  const rest = full.slice(base).map((row, r) =>
    row.slice(base).map((value, c) => {
      const explained = across.reduce((total, own, k) => total + own[r] * onBase[k][c], 0);
      return value - explained;
    }),
  );
  return { rest, solved: onBase.map((row, k) => row.map((value) => value * scale[k])) };
}

function baseAlone(rest, freedom) {
  const last = rest.length - 1;
  const variance = Math.max(rest[last][last] / freedom, TINY);
  const evidence = -0.5 * freedom * (Math.log(variance) + 1);
  return { evidence, variance, coefficients: new Array(last).fill(0) };
}

function withGroup(rest, freedom, none, most) {
  const size = rest.length - 1;
  const unit = Math.sqrt(none.variance); // so that no size of the data is special
  const A = rest.slice(0, size).map((row) => row.slice(0, size));
  const b = rest.slice(0, size).map((row) => row[size] / unit);
  const trace = sum(A.map((row, k) => row[k])) + TINY;
  const ridged = A.map((row, k) => row.map((value, j) => value + (j === k ? RIDGE * trace : 0)));
  const freely = solved(ridged, b.map((value) => [value])).map((row) => row[0]);
  const highest = none.evidence - 0.5 * freedom * Math.log(left(A, b, freedom, freely) / freedom);
  if (!(highest >= most)) {
    return { evidence: -Infinity, variance: none.variance, coefficients: b.map(() => 0) };
  }
  const found = mackay(A, b, freedom);
  return {
    evidence: none.evidence + found.gain,
    variance: none.variance * found.variance,
    coefficients: found.beta.map((value) => value * unit),
  };
}

/** Log evidence gained, coefficients and variance (MacKay 1992, eq. 4.4 and 4.8). */
function mackay(A, b, freedom) {
  const size = b.length;
  const alone = b.map((value, k) => (A[k][k] > 0 ? value / A[k][k] : 0));
  let prior = Math.max(sum(alone.map((one) => one * one)) / size, LEAST_PRIOR);
  let variance = 1;
  let found = posterior(A, b, prior, variance);
  for (let step = 0; step < ITERATIONS; step += 1) {
    const known = counting(size).map((k) => 1 - found.matrix[k][k] / prior);
    const total = Math.max(sum(known), SMALLEST);
    prior = Math.max(sum(found.beta.map((one) => one * one)) / total, LEAST_PRIOR);
    variance = left(A, b, freedom, found.beta) / Math.max(freedom - sum(known), 1);
    found = posterior(A, b, prior, variance);
  }
  const squares = sum(found.beta.map((one) => (one * one) / prior));
  const gain =
    0.5 * freedom * (1 - Math.log(variance)) -
    (0.5 * left(A, b, freedom, found.beta)) / variance -
    0.5 * squares +
    0.5 * found.determinant -
    0.5 * size * Math.log(prior);
  return { gain, beta: found.beta, variance };
}

/** Covariance and mean of the coefficients. */
function posterior(A, b, prior, variance) {
  const precise = A.map((row, k) =>
    row.map((value, j) => value / variance + (j === k ? 1 / prior : 0)),
  );
  const { matrix, determinant } = inverse(precise);
  const beta = matrix.map((row) => row.reduce((total, one, k) => total + one * b[k], 0) / variance);
  return { matrix, determinant, beta };
}

/** Squares that coefficients leave of so many; some, where rounding leaves none. */
function left(A, b, total, beta) {
  const explained = beta.reduce((all, own, k) => {
    const fitted = A[k].reduce((part, value, j) => part + value * beta[j], 0);
    return all + own * (2 * b[k] - fitted);
  }, 0);
  return Math.max(total - explained, SMALLEST * total);
}
