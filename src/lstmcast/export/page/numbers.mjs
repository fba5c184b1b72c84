// Arithmetic on lists in which NaN is a missing value.

export const isKnown = (value) => !Number.isNaN(value);

export const clip = (value, low, high) => Math.min(Math.max(value, low), high);

/** The nearest whole number; of two that are as near, the even one. */
export function nearest(value) {
  const rounded = Math.round(value);
  const isHalf = Math.abs(value % 1) === 0.5;
  return (isHalf && rounded % 2 !== 0 ? rounded - 1 : rounded) + 0; // no −0
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const mean = (values) => sum(values) / values.length;

export const changesOf = (values) => values.slice(1).map((value, t) => value - values[t]);

/** The product of two vectors. */
export const product = (a, b) => a.reduce((total, value, k) => total + value * b[k], 0);

/** The lower of two values, or the one that is known. */
export function lower(a, b) {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.min(a, b);
}

/** The higher of two values, or the one that is known. */
export function higher(a, b) {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.max(a, b);
}

export const smallest = (values) => values.reduce(lower, NaN);

export const largest = (values) => values.reduce(higher, NaN);

export const known = (values) => values.filter(isKnown);

export const ascending = (values) => Array.from(values).sort((a, b) => a - b);

export const counting = (count) => Array.from({ length: count }, (_, k) => k);

/** The lower median of values that are all known; NaN without any. */
export function lowerMedian(values) {
  if (!values.length) return NaN;
  return ascending(values)[(values.length - 1) >> 1];
}

/** The median of values that are all known; NaN without any. */
export function median(values) {
  if (!values.length) return NaN;
  const ordered = ascending(values);
  return (ordered[(values.length - 1) >> 1] + ordered[values.length >> 1]) / 2;
}

/** A power of two, and how often it must be taken: value = part · 2^exponent, ½ ≤ |part| < 1. */
export function exponentOf(value) {
  if (value === 0 || !Number.isFinite(value)) return 0;
  let exponent = Math.floor(Math.log2(Math.abs(value))) + 1;
  const part = Math.abs(value) / 2 ** exponent;
  if (part >= 1) exponent += 1;
  if (part < 0.5) exponent -= 1;
  return exponent;
}

/** x of the linear equations A x = b for each column of b, by elimination with pivots. */
export function solved(A, b) {
  const size = A.length;
  const rows = A.map((row, k) => [...row, ...b[k]]);
  for (let k = 0; k < size; k += 1) {
    let pivot = k;
    for (let r = k + 1; r < size; r += 1) {
      if (Math.abs(rows[r][k]) > Math.abs(rows[pivot][k])) pivot = r;
    }
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let r = k + 1; r < size; r += 1) {
      const share = rows[r][k] / rows[k][k];
      if (share === 0) continue;
      for (let c = k; c < rows[k].length; c += 1) rows[r][c] -= share * rows[k][c];
    }
  }
  for (let k = size - 1; k >= 0; k -= 1) {
    for (let c = size; c < rows[k].length; c += 1) {
      let value = rows[k][c];
      for (let j = k + 1; j < size; j += 1) value -= rows[k][j] * rows[j][c];
      rows[k][c] = value / rows[k][k];
    }
  }
  return rows.map((row) => row.slice(size));
}

/** The inverse of a symmetric positive matrix, and the logarithm of its determinant. */
export function inverse(A) {
  const size = A.length;
  const root = A.map(() => new Float64Array(size)); // Cholesky
  let logarithm = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let value = A[i][j];
      for (let k = 0; k < j; k += 1) value -= root[i][k] * root[j][k];
      root[i][j] = i === j ? Math.sqrt(Math.max(value, 1e-300)) : value / root[j][j];
    }
    logarithm += 2 * Math.log(root[i][i]);
  }
  const columns = counting(size).map((c) => solvedBy(root, c));
  return { matrix: columns, determinant: -logarithm };
}

/** A column of the inverse: two triangles are solved. */
function solvedBy(root, column) {
  const size = root.length;
  const x = new Float64Array(size);
  for (let i = column; i < size; i += 1) {
    let value = i === column ? 1 : 0;
    for (let k = column; k < i; k += 1) value -= root[i][k] * x[k];
    x[i] = value / root[i][i];
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let value = x[i];
    for (let k = i + 1; k < size; k += 1) value -= root[k][i] * x[k];
    x[i] = value / root[i][i];
  }
  return x;
}
