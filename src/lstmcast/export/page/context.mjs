// From where a forecast has read, and which cutoffs are held out: lstmcast/context.py.

import { clip } from "./numbers.mjs";

export const LONGEST = 1024; // observations that a forecast reads
const EARLIEST = 8; // observations that a held-out cutoff must know
export const CUTOFFS = 24; // held out of few series

export const seasonsOf = (periods) =>
  [...new Set(periods.filter((m) => m > 1))].sort((a, b) => a - b);

/** The shortest of some seasonal periods; 0 without any. */
export const shortestSeason = (periods) => seasonsOf(periods)[0] ?? 0;

export const blockOf = (periods) => Math.max(LONGEST / 2, 3 * Math.max(...periods, 1));

/** The observation from which a forecast that knows so many has read. */
export function startOf(count, periods) {
  const block = blockOf(periods);
  return Math.max(Math.floor(count / block) - 1, 0) * block;
}

/** After how many values the axis was chosen that is in force after so many. */
export function decided(count) {
  const octave = Math.floor(Math.log2(Math.max(count, 1)));
  const step = Math.max(Math.floor(2 ** (octave - 3)), 1);
  return Math.floor(count / step) * step;
}

function farthestHeldOut(periods) {
  const most = Math.floor(Math.floor((3 * blockOf(periods)) / 4) / CUTOFFS);
  const cycle = shortestSeason(periods) || 1;
  if (cycle <= most) return CUTOFFS * Math.floor(most / cycle) * cycle;
  let part = most;
  while (cycle % part !== 0) part -= 1;
  return CUTOFFS * part;
}

/** Cutoffs before the end of so many values, newest first, and how far they lie apart. */
export function heldOut(count, periods) {
  const latest = count - Math.max(EARLIEST, Math.floor(count / 2));
  const farthest = Math.floor(farthestHeldOut(periods) / CUTOFFS);
  const apart = clip(Math.floor(latest / CUTOFFS), 1, farthest);
  const cutoffs = [];
  for (let k = 1; k <= CUTOFFS && k * apart <= latest; k += 1) cutoffs.push(count - k * apart);
  return { cutoffs, apart };
}
