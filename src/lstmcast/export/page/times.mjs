// Times as people write them, and the frequency that they have. All are moments in UTC.

import { ascending, counting, isKnown } from "./numbers.mjs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const UNITS = [["week", WEEK], ["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", 1000]];
const FILLED = 0.25;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const CLOCK = "(?:[T ]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d+)?)?(?:Z|[+-]00:?00)?)?";

const monthOf = (name) => MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
const fullYear = (text) => (text.length === 2 ? Number(text) + (text < "70" ? 2000 : 1900) : Number(text));

/** How a time can be written: an expression, and what its parts say. */
const FORMS = {
  iso: [
    new RegExp(`^(\\d{4})([-/])(\\d{1,2})(?:\\2(\\d{1,2}))?${CLOCK}$`),
    ([, y, , m, d = 1, ...clock]) => moment(y, m, d, clock),
  ],
  points: [
    new RegExp(`^(\\d{4})\\.(\\d{1,2})\\.(\\d{1,2})${CLOCK}$`),
    ([, y, m, d, ...clock]) => moment(y, m, d, clock),
  ],
  japanese: [
    new RegExp(`^(\\d{4})年(?:(\\d{1,2})月(?:(\\d{1,2})日)?)?${CLOCK}$`),
    ([, y, m = 1, d = 1, ...clock]) => moment(y, m, d, clock),
  ],
  compact: [/^(\d{4})(\d{2})(\d{2})?$/, ([, y, m, d = 1]) => moment(y, m, d, [])],
  year: [/^(1[5-9]\d\d|2[01]\d\d)$/, ([, y]) => moment(y, 1, 1, [])],
  dayFirst: [
    new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${CLOCK}$`),
    ([, d, , m, y, ...clock]) => moment(fullYear(y), m, d, clock),
  ],
  monthFirst: [
    new RegExp(`^(\\d{1,2})([-/])(\\d{1,2})\\2(\\d{4}|\\d{2})${CLOCK}$`),
    ([, m, , d, y, ...clock]) => moment(fullYear(y), m, d, clock),
  ],
  monthName: [
    /^([A-Za-z]{3,9})\.?[ -](?:(\d{1,2}),? )?(\d{4}|\d{2})$/,
    ([, m, d = 1, y]) => moment(fullYear(y), monthOf(m), d, []),
  ],
  dayMonthName: [
    /^(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4}|\d{2})$/,
    ([, d, m, y]) => moment(fullYear(y), monthOf(m), d, []),
  ],
  quarter: [/^(\d{4})[- ]?Q([1-4])$/i, ([, y, q]) => moment(y, 3 * q - 2, 1, [])],
  quarterFirst: [/^Q([1-4])[- ]?(\d{4})$/i, ([, q, y]) => moment(y, 3 * q - 2, 1, [])],
};

/** The moment, or NaN for a date that the calendar does not have. */
function moment(year, month, day, [hour = 0, minute = 0, second = 0]) {
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(time);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === Number(day);
  return exists && hour < 24 ? time : NaN;
}

/**
 * The moments of a column, NaN where a cell is none, and the form they are written in; null where
 * fewer cells than such a share are moments.
 */
export function timesIn(cells, share = 1) {
  const fewest = share * cells.length;
  const read = Object.entries(FORMS)
    .map(([form, [expression, made]]) => {
      const times = cells.map((cell) => {
        const match = expression.exec(cell.trim());
        return match ? made(match) : NaN;
      });
      return { form, times };
    })
    .filter(({ times }) => times.filter(isKnown).length >= fewest);
  if (!cells.length || !read.length) return null;
  // 03/04/2024 can be both: the reading whose steps are the more alike
  const slashes = read.filter(({ form }) => /First$/.test(form) && form !== "quarterFirst");
  if (slashes.length < 2 || cells[0].includes(".")) return read[0];
  return slashes.reduce((best, one) => (variety(one.times) < variety(best.times) ? one : best));
}

function variety(times) {
  const ordered = ascending(times.filter(isKnown));
  return new Set(ordered.slice(1).map((time, k) => time - ordered[k])).size;
}

const monthNumber = (time) => {
  const date = new Date(time);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
};
const dayOf = (time) => new Date(time).getUTCDate();
const weekdayOf = (time) => (new Date(time).getUTCDay() + 6) % 7; // Monday is 0
const lastDay = (month) => new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();
const businessDay = (time) => {
  const day = Math.floor(time / DAY) + 3; // counted from a Monday
  return 5 * Math.floor(day / 7) + Math.min(day % 7, 5);
};

const greatestCommon = (a, b) => (b === 0 ? a : greatestCommon(b, a % b));

/** The step of ascending counts: the most frequent one, or a finer one that all of them fit. */
function stepOf(counts) {
  const steps = counts.slice(1).map((count, k) => count - counts[k]);
  const tally = new Map();
  for (const step of ascending(steps)) tally.set(step, (tally.get(step) ?? 0) + 1);
  const [mode] = [...tally].reduce((best, one) => (one[1] > best[1] ? one : best));
  const common = steps.reduce(greatestCommon);
  const cells = (counts.at(-1) - counts[0]) / common + 1;
  return common % mode !== 0 && counts.length / cells >= FILLED ? common : mode;
}

/**
 * The frequency of ascending moments without repeats: unit and number of units, and where each
 * stands on its grid; null where that cannot be told.
 */
export function frequencyOf(times) {
  if (times.length < 2) return null;
  const grid = monthGrid(times) ?? businessGrid(times) ?? fixedGrid(times);
  if (!grid) return null;
  const places = times.map((time) => (grid.count(time) - grid.count(times[0])) / grid.size);
  if (!places.every(Number.isInteger)) return null;
  const at = (place) => grid.time(grid.count(times[0]) + place * grid.size);
  return { ...named(grid), places, at };
}

function monthGrid(times) {
  if (times.some((time, k) => k > 0 && time - times[k - 1] < 25 * DAY)) return null;
  const latest = Math.max(...times.map(dayOf));
  const clock = times[0] % DAY;
  const kept = times.every((time) => {
    const day = Math.min(latest, lastDay(monthNumber(time)));
    return dayOf(time) === day && time % DAY === clock;
  });
  if (!kept) return null;
  const ends = times.every((time) => dayOf(time) === lastDay(monthNumber(time)));
  const time = (month) => {
    const day = ends ? lastDay(month) : Math.min(latest, lastDay(month));
    return Date.UTC(Math.floor(month / 12), month % 12, day) + clock;
  };
  return { unit: "month", size: stepOf(times.map(monthNumber)), count: monthNumber, time };
}

function businessGrid(times) {
  const steps = times.slice(1).map((time, k) => time - times[k]);
  const single = steps.filter((step) => step === DAY).length;
  const fits =
    steps.every((step) => step % DAY === 0) &&
    steps.includes(3 * DAY) &&
    times.every((time) => weekdayOf(time) < 5) &&
    single >= 0.5 * steps.length;
  if (!fits) return null;
  const clock = times[0] % DAY;
  const time = (count) => {
    const week = Math.floor(count / 5);
    return (7 * week + (count - 5 * week) - 3) * DAY + clock;
  };
  return { unit: "business day", size: stepOf(times.map(businessDay)), count: businessDay, time };
}

function fixedGrid(times) {
  const step = stepOf(times);
  const found = UNITS.find(([, length]) => step % length === 0);
  if (!found) return null;
  const count = (time) => time / found[1];
  return { unit: found[0], size: step / found[1], count, time: (count) => count * found[1] };
}

function named({ unit, size }) {
  if (unit === "month" && size % 12 === 0) return frequency("year", size / 12);
  if (unit === "month" && size % 3 === 0) return frequency("quarter", size / 3);
  return frequency(unit, size);
}

const IN_UNITS = { year: 1, quarter: 4, month: 12, week: 52, day: 7, "business day": 5, integer: 1 };
const FAMILY = {
  integer: "other",
  day: "daily",
  "business day": "daily",
  minute: "hourly",
  second: "hourly",
};

/** A frequency with its seasonal periods, in steps, and its family. */
export function frequency(unit, every) {
  const cycles = IN_UNITS[unit] ? [IN_UNITS[unit] / every] : cyclesOf(unit, every);
  const periods = cycles.filter((m) => Number.isInteger(m) && m > 1);
  return { unit, every, periods: periods.length ? periods : [1], family: FAMILY[unit] ?? `${unit}ly` };
}

function cyclesOf(unit, every) {
  const step = every * UNITS.find(([name]) => name === unit)[1];
  if (step >= 5 * MINUTE) return [DAY / step, WEEK / step];
  return step >= MINUTE ? [HOUR / step, DAY / step] : [MINUTE / step, HOUR / step];
}

/** Steps of a series that has no times. */
export function numbered(count) {
  const places = counting(count);
  return { ...frequency("integer", 1), places, at: (place) => place + 1 };
}

/** A moment as text; a date where all are at midnight. */
export function written(time, withClock) {
  const text = new Date(time).toISOString();
  return withClock ? text.slice(0, 19).replace("T", " ") : text.slice(0, 10);
}

export const isMidnight = (time) => time % DAY === 0;
