// The kernel: values in, quantiles out, as `lstmcast forecast` gives them.

import { within } from "./bounds.mjs";
import { calibrated } from "./calibration.mjs";
import { combined } from "./combination.mjs";
import { heldOut, startOf } from "./context.mjs";
import { LEVELS, decode } from "./decoding.mjs";
import { sharesWithFew, withFew } from "./few.mjs";
import { counting, known, largest, median, nearest, smallest } from "./numbers.mjs";
import { withoutEvents } from "./rare.mjs";
import { atSeveralRates } from "./rates.mjs";
import { RECURRENCE, continuation } from "./recurrence.mjs";
import { reaching, stuckIn } from "./stuck.mjs";
import { shut } from "./weekdays.mjs";
import { yearOf } from "./year.mjs";

const SMALL = 20; // whole numbers with a smaller median look like counts
const LARGEST = 100; // of other whole numbers, so that quantiles are whole as well
const FEWEST = 8;

/** A series with what is known of its frequency; `values` are numbers, NaN where one is missing. */
export function panelOf(values, { unit, every, periods, family }) {
  const years = new Map();
  const effects = (isLog) => {
    if (!years.has(isLog)) years.set(isLog, yearOf(values, unit, every, isLog));
    return years.get(isLog);
  };
  return { values, unit, every, periods, family, effects };
}

/**
 * Quantiles at `LEVELS` of each of the next steps, in combination with simple forecasts,
 * calibrated at held-out cutoffs; and the shares of what they are made of.
 */
export function forecast(network, panel, horizon) {
  const { values } = panel;
  const stuck = stuckIn(panel, areCounts(values));
  const { wide, shares } = allOf(network, without(panel, stuck), horizon + stuck, stuck > 0);
  const later = wide.slice(stuck);
  const reached = stuck ? reaching(later, values[values.length - 1]) : later;
  const stops = stopsAtZero(values);
  const open = stops ? shut(reached, panel) : reached;
  const stopped = open.map((row) => row.map((value) => (stops && value <= 0 ? 0 : value)));
  const read = values.slice(startOf(values.length, panel.periods));
  const rows = within(stopped, read);
  const whole = areCounts(values) || areSmallAndWhole(values, read);
  const shown = whole ? rows.map((row) => row.map(nearest)) : rows;
  return { levels: LEVELS, quantiles: shown, shares };
}

/** The panel without so many of its newest values. */
function without(panel, stuck) {
  if (!stuck) return panel;
  return panelOf(panel.values.slice(0, -stuck), panel);
}

/** Quantiles by a recurrence where all values follow one, else combined and calibrated ones. */
function allOf(network, panel, horizon, isShortened) {
  const continued = isShortened ? null : continuation(panel, horizon);
  if (continued) return { wide: continued, shares: [["network", 0], [RECURRENCE, 1]] };
  return calibratedFrom(network, panel, horizon);
}

/** Combined and calibrated quantiles, before what values cannot be is taken off; and shares. */
function calibratedFrom(network, panel, horizon) {
  const count = panel.values.length;
  const steps = Math.max(horizon, network.horizon);
  const { cutoffs, apart } = heldOut(count, panel.periods);
  const answers = networkAlone(network, panel, [count, ...cutoffs], steps);
  const [quantiles, ...before] = answers;
  const actual = cutoffs.map((cutoff) =>
    counting(steps).map((h) => (cutoff + h < count ? panel.values[cutoff + h] : NaN)),
  );
  const mixture = combined(panel, { count, cutoffs, quantiles, before, actual });
  const tried = withFew(mixture.tried, panel);
  const shares = sharesWithFew(mixture.shares, panel);
  const wide = calibrated(withoutEvents(tried, panel, cutoffs), apart).slice(0, horizon);
  return { wide, shares };
}

/** What the network says after so many known values, before anything is weighed or widened. */
export function networkAlone(network, panel, counts, horizon) {
  const answers = decode(network, panel, counts, horizon);
  return atSeveralRates(network, panel, counts, answers, horizon);
}

/** Whether values stop at 0: they touch it, or are counts, and are never below. */
export const stopsAtZero = (values) => smallest(known(values)) === 0 || areCounts(values);

/** Whether values look like counts. */
function areCounts(values) {
  const all = known(values);
  const low = smallest(all);
  return all.every(Number.isInteger) && (low === 0 || (low > 0 && median(all) < SMALL));
}

/** Whether values are above 0, and those read are small whole numbers (lstmcast/data/wholes.py). */
function areSmallAndWhole(values, given) {
  const read = known(given);
  const isSmall = read.length >= FEWEST && largest(read) <= LARGEST;
  return smallest(known(values)) > 0 && isSmall && read.every(Number.isInteger);
}
