// The page: from a table to a chart and a file.

import { drawChart, shown } from "./chart.mjs";
import { TableError, decoded, idsOf, seriesIn, seriesOf, tableOf } from "./csv.mjs";
import { WORDS, frequencySaid, said } from "./words.mjs";

const LOW = 1; // places of the bounds of the 80% interval among the quantiles
const MIDDLE = 3;
const HIGH = 5;
const SEASONLESS = 10;
const FARTHEST = 1000;
const SHOWN_HISTORY = 4; // times the horizon
const LEAST_HISTORY = 60;

const at = (id) => document.getElementById(id);

const state = { words: WORDS.en, language: "en", table: null, series: null, result: null };

/** Start the page; `compute` gives a promise of the forecast of a series. */
export function start(compute, example) {
  setLanguage(navigator.language.startsWith("ja") ? "ja" : "en");
  at("language").addEventListener("click", () =>
    setLanguage(state.language === "en" ? "ja" : "en"),
  );
  at("theme").addEventListener("click", switchTheme);
  at("text").addEventListener("input", () => readText(at("text").value));
  at("example").addEventListener("click", () => fill(example));
  at("file").addEventListener("change", () => readFile(at("file").files[0]));
  at("values").addEventListener("change", () => attempt(chooseSeries));
  at("series").addEventListener("change", () => attempt(chooseSeries));
  at("options").addEventListener("submit", (event) => {
    event.preventDefault();
    run(compute);
  });
  at("download").addEventListener("click", download);
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) readFile(event.dataTransfer.files[0]);
    else fill(event.dataTransfer.getData("text"));
  });
  window.addEventListener("resize", () => state.result && show());
}

function setLanguage(language) {
  Object.assign(state, { language, words: WORDS[language] });
  document.documentElement.lang = language;
  document.title = state.words.title;
  for (const one of document.querySelectorAll("[data-said]"))
    one.textContent = state.words[one.dataset.said];
  at("text").placeholder = state.words.paste;
  at("language").textContent = language === "en" ? "日本語" : "English";
  sayTheme();
  if (state.series) sayWhatWasRead();
  if (state.result) show();
  if (state.error) fail(state.error);
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

const sayTheme = () => {
  at("theme").textContent = isDark() ? state.words.light : state.words.dark;
};

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  sayTheme();
}

function fill(text) {
  at("text").value = text;
  readText(text);
}

async function readFile(file) {
  if (!file) return;
  try {
    fill(decoded(new Uint8Array(await file.arrayBuffer())));
  } catch {
    fill("");
    fail(new TableError("file", { name: file.name })); // a folder, or a file that is gone
  }
}

function readText(text) {
  Object.assign(state, { table: null, series: null, result: null, error: null });
  at("message").textContent = "";
  at("result").hidden = true;
  at("options").hidden = true;
  at("read").textContent = "";
  if (!text.trim()) return;
  attempt(() => {
    state.table = tableOf(text);
    offer(
      "values",
      state.table.values.map(({ column }) => column.name),
    );
    offer("series", seriesIn(state.table));
    chooseSeries();
    at("horizon").value = state.series.periods.find((m) => m > 1) ?? SEASONLESS;
    at("options").hidden = false;
  });
}

/** Fill a choice; one that leaves none is hidden. */
function offer(id, names) {
  const options = names.map((name, k) => new Option(name, k));
  at(id).replaceChildren(...options);
  at(id).parentElement.hidden = names.length < 2;
}

function chooseSeries() {
  Object.assign(state, { series: null, result: null, error: null });
  at("result").hidden = true;
  at("message").textContent = "";
  const name = seriesIn(state.table)[Number(at("series").value) || 0];
  const series = seriesOf(state.table, Number(at("values").value) || 0, name);
  state.series = { ...series, key: name, ids: idsOf(state.table, name) };
  sayWhatWasRead();
}

function sayWhatWasRead() {
  const { series, words, table } = state;
  const { values } = series;
  const notes = [
    said(words, "read", {
      count: values.length,
      name: series.key ? `${series.name}, ${series.key}` : series.name,
      frequency: frequencySaid(words, series),
      first: series.label(0),
      last: series.label(values.length - 1),
    }),
  ];
  if (series.missing) notes.push(said(words, "missing", { count: series.missing }));
  if (table.values[Number(at("values").value) || 0].numbers.isComma) notes.push(words.comma);
  const form = table.time?.read?.form;
  if (form === "dayFirst") notes.push(words["day first"]);
  if (form === "monthFirst") notes.push(words["month first"]);
  if (!table.time) notes.push(words.numbered);
  at("read").textContent = `${notes.join("; ")}.`;
}

/** Do something; what is wrong with the table is said. */
function attempt(action) {
  try {
    action();
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  state.error = error;
  const known = error instanceof TableError;
  const values = known ? error.values : { reason: error.message };
  at("message").textContent = said(state.words, `error ${known ? error.key : "failed"}`, values);
}

async function run(compute) {
  const horizon = Number(at("horizon").value);
  if (!Number.isInteger(horizon) || horizon < 1 || horizon > FARTHEST) {
    fail(new TableError("horizon"));
    return;
  }
  const { series } = state;
  if (!series) return; // it is said what is wrong with it
  state.error = null;
  at("message").textContent = state.words.working;
  at("run").disabled = true;
  try {
    const { unit, every, periods, family, values } = series;
    const made = await compute({ values, frequency: { unit, every, periods, family }, horizon });
    if (state.series !== series) return; // another one was chosen meanwhile
    state.result = made;
    at("message").textContent = "";
    show();
  } catch (error) {
    fail(error);
  } finally {
    at("run").disabled = false;
  }
}

/** The steps of the forecast with their times. */
const stepsAhead = () =>
  state.result.quantiles.map((row, h) => ({
    label: state.series.label(state.series.values.length + h),
    value: row[MIDDLE],
    low: row[LOW],
    high: row[HIGH],
    row,
  }));

function show() {
  at("result").hidden = false;
  const { series, words, language } = state;
  const ahead = stepsAhead();
  const count = Math.max(SHOWN_HISTORY * ahead.length, LEAST_HISTORY);
  const first = Math.max(series.values.length - count, 0);
  const history = series.values
    .slice(first)
    .map((value, k) => ({ label: series.label(first + k), value }));
  const title = `${words.forecast}: ${series.name}`;
  drawChart(at("chart"), [...history, ...ahead], { language, title, tell });
  tell(null);
  const [[, network], ...others] = state.result.shares;
  const simple = others.reduce((total, [, share]) => total + share, 0);
  const percent = (share) => `${Math.round(100 * share)}%`;
  const parts = [`${words.network} ${percent(network)}`, `${words.simple} ${percent(simple)}`];
  at("made").textContent = said(words, "made", { shares: parts.join(", ") });
  at("rows").replaceChildren(...ahead.map(rowOf));
}

function rowOf({ label, value, low, high }) {
  const row = document.createElement("tr");
  const texts = [label, ...[value, low, high].map((one) => shown(one, state.language))];
  row.append(
    ...texts.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }),
  );
  return row;
}

/** Say what is below the pointer, or what the last step is. */
function tell(point) {
  const { words, language } = state;
  const one = point ?? stepsAhead().at(-1);
  const value = shown(one.value, language);
  const between = `${shown(one.low, language)} … ${shown(one.high, language)}`;
  at("told").textContent =
    one.low === undefined
      ? `${one.label}: ${value}`
      : `${one.label}: ${value}, ${words.interval} ${between}`;
}

/** The file that `lstmcast forecast --out` would write. */
export function fileOf(series, result) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const ids = series.ids.length ? series.ids : [["unique_id", series.name]];
  const levels = result.levels.map((level) => `q${level}`);
  const header = [...ids.map(([name]) => quoted(name)), "ds", "step", "forecast", ...levels];
  const own = ids.map(([, id]) => quoted(id));
  const lines = result.quantiles.map((row, h) => {
    return [...own, series.label(series.values.length + h), h + 1, row[MIDDLE], ...row].join(",");
  });
  return `${[header.join(","), ...lines].join("\n")}\n`;
}

function download() {
  const link = document.createElement("a");
  const file = new Blob([fileOf(state.series, state.result)], { type: "text/csv" });
  link.href = URL.createObjectURL(file);
  link.download = "forecast.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
