// A pasted or dropped table: which column is time, which are values, what a series is.

import { counting, isKnown, largest } from "./numbers.mjs";
import { frequencyOf, isMidnight, numbered, timesIn, written } from "./times.mjs";

const DELIMITERS = [";", "\t", ",", "|"];
const MISSING = /^(na|n\/a|nan|null|none|-|\?|\.|#n\/a)?$/i;
const MOSTLY = 0.8;
const LARGEST = 1e100; // of a value, as everywhere in lstmcast
const FEWEST = 3; // values that can be continued
const GROUPED = /^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/;
const PLAIN = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;
const WITH_COMMA = /^[-+]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?$/;

/** What is wrong with a table; `key` names the text that says so. */
export class TableError extends Error {
  constructor(key, values = {}) {
    super(key);
    Object.assign(this, { key, values });
  }
}

/** The text of a file, whichever usual encoding it has. */
export function decoded(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  for (const encoding of ["utf-8", "shift_jis"]) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch {
      // another one
    }
  }
  return new TextDecoder("windows-1252").decode(bytes);
}

/** Rows of cells. */
export function cellsOf(text, delimiter) {
  const rows = [[]];
  const cell = new RegExp(
    // quotes that hold no whole cell are part of it: nothing after them may be lost
    `(?: *"((?:[^"]|"")*)" *|([^\\n${delimiter}]*))([\\n${delimiter}]|$)`,
    "y",
  );
  const source = text.replace(/\r\n?/g, "\n").replace(/^\ufeff/, "");
  while (cell.lastIndex < source.length) {
    const [, quoted, bare, end] = cell.exec(source);
    rows.at(-1).push((bare ?? quoted.replaceAll('""', '"')).trim());
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows.filter((row) => row.some((value) => value !== ""));
}

/** The delimiter by which most rows have the same number of cells, of several. */
function delimiterOf(text) {
  const beginning = text.slice(0, 20_000);
  const scores = DELIMITERS.map((delimiter) => {
    const widths = cellsOf(beginning, delimiter).map((row) => row.length);
    const usual = widths[Math.floor(widths.length / 2)] ?? 1;
    return usual > 1 ? widths.filter((width) => width === usual).length / widths.length : 0;
  });
  const best = Math.max(...scores);
  return best > 0 ? DELIMITERS[scores.indexOf(best)] : ",";
}

/** The numbers of a column, and whether commas are decimal commas; null where it holds none. */
export function numbersIn(cells) {
  const filled = cells.filter((cell) => !MISSING.test(cell));
  const bare = (cell) => cell.replace(/[\s\u00a0'’%€$£¥]/g, "");
  if (!filled.length) return null;
  const points = filled.filter((cell) => PLAIN.test(bare(cell)) || GROUPED.test(bare(cell)));
  const commas = filled.filter((cell) => WITH_COMMA.test(bare(cell)));
  const isComma =
    commas.length > points.length ||
    (commas.length === filled.length && onlyCommas(filled.map(bare)));
  if (Math.max(points.length, commas.length) < MOSTLY * filled.length) return null;
  const number = (cell) => {
    if (MISSING.test(cell)) return NaN;
    const text = bare(cell);
    return Number(isComma ? text.replaceAll(".", "").replace(",", ".") : text.replaceAll(",", ""));
  };
  const wrong = filled.find(
    (cell) =>
      (!(isComma ? WITH_COMMA : PLAIN).test(bare(cell)) &&
        (isComma || !GROUPED.test(bare(cell)))) ||
      Math.abs(number(cell)) > LARGEST,
  );
  return { values: cells.map(number), isComma, wrong };
}

/** Whether commas cannot be those between thousands. */
const onlyCommas = (cells) => cells.some((cell) => cell.includes(",") && !GROUPED.test(cell));

/** A table as people give it: its columns by what they hold. */
export function tableOf(text) {
  const delimiter = delimiterOf(text);
  const rows = cellsOf(text, delimiter);
  if (!rows.length) throw new TableError("empty");
  const width = largest(rows.map((row) => row.length)); // of more rows than a call has arguments
  const hasHeader = rows.length > 1 && !rows[0].some((cell) => isData(cell));
  const header = counting(width).map((c) => (hasHeader ? rows[0][c] : "") || `column ${c + 1}`);
  const body = rows.slice(hasHeader ? 1 : 0).filter((row) => row.length > 1 || width === 1);
  const columns = header.map((name, c) => ({ name, cells: body.map((row) => row[c] ?? "") }));
  const time = columns.map(timeColumn).find(Boolean) ?? null;
  const rest = columns.filter((column) => column !== time?.column);
  const values = rest
    .map((column) => ({ column, numbers: numbersIn(column.cells) }))
    .filter(({ numbers }) => numbers);
  if (!values.length) throw new TableError("no numbers");
  const isValue = (column) => values.some((one) => one.column === column);
  const keys = rest.filter((column) => !isValue(column) && column.cells.some((cell) => cell));
  return { time, values, keys };
}

/** Whether a cell is a number or a time, as no name of a column is. */
const isData = (cell) => cell !== "" && (numbersIn([cell]) !== null || timesIn([cell]) !== null);

function timeColumn(column) {
  const filled = column.cells.filter((cell) => cell);
  if (filled.length < MOSTLY * column.cells.length || filled.length < 2) return null;
  const read = timesIn(filled, MOSTLY);
  if (!read) return null;
  // Numbers that could be years are times only where they ascend.
  const isNumber = read.form === "year" || read.form === "compact";
  if (isNumber && read.times.some((time, k) => k > 0 && time <= read.times[k - 1])) return null;
  return { column, read, bad: filled.find((_, k) => !isKnown(read.times[k])) };
}

/** The names of the series in a table: one without a name where there is no key. */
export function seriesIn(table) {
  return [...new Set(keysOf(table))];
}

const keysOf = ({ keys, values }) =>
  values[0].column.cells.map((_, row) => keys.map((column) => column.cells[row]).join(" · "));

/** What each column of ids says of a series: pairs of its name and the cell. */
export function idsOf(table, name) {
  const row = keysOf(table).indexOf(name);
  return table.keys.map((column) => [column.name, column.cells[row]]);
}

/** One series on its grid, NaN where a time or a value is missing; without what is at its ends. */
export function seriesOf(table, valueColumn, name) {
  const { time } = table;
  if (time?.bad) throw new TableError("bad time", { cell: time.bad, column: time.column.name });
  const { numbers, column } = table.values[valueColumn];
  if (numbers.wrong)
    throw new TableError("bad number", { cell: numbers.wrong, column: column.name });
  const keys = keysOf(table);
  const filledRows = counting(keys.length).filter((row) => !time || time.column.cells[row]);
  const rows = filledRows
    .map((row, k) => ({
      time: time ? time.read.times[k] : row,
      value: numbers.values[row],
      key: keys[row],
    }))
    .filter((row) => row.key === name);
  if (time) rows.sort((a, b) => a.time - b.time);
  const repeated = rows.find((row, k) => k > 0 && row.time === rows[k - 1].time);
  if (repeated)
    throw new TableError("repeated", { time: written(repeated.time, !isMidnight(repeated.time)) });
  return onGrid(rows, Boolean(time), column.name);
}

function onGrid(rows, hasTimes, name) {
  const times = rows.map((row) => row.time);
  if (rows.filter((row) => isKnown(row.value)).length < FEWEST) throw new TableError("few");
  const grid = hasTimes ? frequencyOf(times) : numbered(rows.length);
  if (!grid) throw new TableError("no grid");
  const values = new Array(grid.places.at(-1) + 1).fill(NaN);
  rows.forEach((row, k) => {
    values[grid.places[k]] = row.value;
  });
  const first = values.findIndex(isKnown);
  const last = values.findLastIndex(isKnown);
  const own = values.slice(first, last + 1);
  const withClock = hasTimes && !times.every(isMidnight);
  const label = (place) =>
    hasTimes ? written(grid.at(first + place), withClock) : String(first + place + 1);
  return {
    ...grid,
    values: own,
    label,
    name,
    missing: own.filter((value) => !isKnown(value)).length,
  };
}
