// A result: verdict, chart, numbers, files, components.
import { download, get } from "./api.js";
import { at, busyWith, charts, describe, fault, fill, options, say } from "./dom.js";

let result = null, chosen = null, drawn = null, recent = true, parts = null;
const watchers = [];

export const current = () => result;
export const series = () => chosen;
export const pane = () => drawn.panes[0];
export const axis = () => drawn.axis;

// Told when another series, or another result, is shown.
export function onShown(watcher) {
  watchers.push(watcher);
}

export function show(found) {
  result = found;
  chosen = found.series[0];
  drawn = { ...found.charts, panes: [found.charts.panes[0]] };
  recent = true;
  at("result").hidden = false;
  at("result-title").innerHTML = found.parts.title;
  at("result-subtitle").innerHTML = found.parts.subtitle;
  fill(at("verdict"), found.parts.verdict);
  fill(at("tiles"), found.parts.tiles);
  fill(at("more-results"), found.parts.series + found.parts.accuracy);
  at("chart-note").innerHTML = found.parts.chart_note;
  at("command").textContent = found.command;
  at("totals-file").hidden = !found.totals;
  fault(at("download-fault"), "");
  options(at("shown-names"), found.series.map((name) => [name, name]));
  at("picker-place").hidden = found.series.length < 2;
  at("shown").value = chosen;
  redraw();
  told();
}

function told() {
  at("parts").open = false;
  parts = null;
  watchers.forEach((watcher) => watcher());
}

async function choose(name) {
  const place = result.charts.panes.findIndex((one) => one.name === name);
  const found = place < 0 ? await get(path("chart")) : null;
  drawn = { ...result.charts, panes: [found ? found.panes[0] : result.charts.panes[place]] };
  redraw();
  told();
}

export function path(what) {
  const query = what.startsWith("files/") ? "" : "?series=" + encodeURIComponent(chosen);
  return "/page/results/" + encodeURIComponent(result.id) + "/" + what + query;
}

export function redraw() {
  if (!result) return;
  charts.drawForecast("chart", drawn, 0, recent);
  charts.fillNumbers("numbers", pane());
  const whole = charts.isWhole(drawn, 0);
  at("recent").hidden = at("all").hidden = whole;
  at("recent").setAttribute("aria-pressed", String(recent));
  at("all").setAttribute("aria-pressed", String(!recent));
  const write = charts.writer(pane().point), last = pane().point.length - 1;
  describe(at("chart"), say("Chart of {name}: the forecast goes from {first} to {last}.",
    { name: pane().name, first: write(pane().point[0]), last: write(pane().point[last]) }));
  if (at("steps")) charts.drawSteps("steps", result.charts.steps);
  if (parts) drawParts();
}

at("recent").onclick = () => { recent = true; redraw(); };
at("all").onclick = () => { recent = false; redraw(); };
at("shown").onchange = async () => {
  if (!result.series.includes(at("shown").value)) {
    at("shown").value = chosen;
    return;
  }
  chosen = at("shown").value;
  await choose(chosen);
};
at("shown").onfocus = () => at("shown").select();

for (const button of document.querySelectorAll("[data-file]")) {
  button.onclick = () => busyWith(button, async () => {
    fault(at("download-fault"), "");
    try {
      await download(path("files/" + button.dataset.file), button.dataset.file);
    } catch (problem) {
      fault(at("download-fault"), problem.message);
    }
  });
}

// ------------------------------------------------------------ level, seasons, rest

at("parts").ontoggle = async () => {
  if (!at("parts").open || parts) return;
  parts = await get(path("components"));
  drawParts();
};

function drawParts() {
  const colours = charts.colours(), times = charts.numbers(parts.times, drawn.axis), known = times.length - parts.ahead;
  const rows = [{ name: say("history and forecast"), values: parts.values, percent: false }, ...parts.parts];
  const height = 1 / rows.length, traces = [], more = {}, notes = [];
  rows.forEach((row, i) => {
    const n = i ? i + 1 : "", top = 1 - i * height;
    const line = { color: i === 1 ? colours.blue : colours.ink, width: 1.5 };
    const trace = { x: times, y: row.values, yaxis: "y" + n, mode: "lines", line, name: row.name, showlegend: false };
    traces.push(i ? trace : { ...trace, x: times.slice(0, known), y: row.values.slice(0, known) });
    if (!i) traces.push({ ...trace, x: times.slice(known - 1), y: row.values.slice(known - 1), line: { color: colours.blue, width: 2.2 } });
    more["yaxis" + n] = { domain: [top - height * 0.78, top - height * 0.12], automargin: true, gridcolor: colours.grid, nticks: 4,
      tickfont: { color: colours.faint, size: 11 }, zeroline: false, exponentformat: "e", ticksuffix: row.percent ? " %" : "" };
    notes.push({ text: charts.plain(row.name), x: 0, xref: "paper", y: top - height * 0.1, yref: "paper", yanchor: "bottom", xanchor: "left",
      showarrow: false, font: { size: 13, color: colours.ink } });
  });
  at("components").style.height = 130 * rows.length + 60 + "px";
  Plotly.react("components", traces, charts.layout({ type: drawn.axis, anchor: "y" + rows.length }, {},
    { ...more, annotations: notes, hovermode: "x", margin: { l: 8, r: 12, t: 20, b: 40 } }), charts.config);
  describe(at("components"), parts.parts.map((one) => one.name).join(", "));
}
