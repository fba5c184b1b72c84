// A result: verdict, chart, numbers, files, components.
import { download, get } from "./api.js";
import { at, busyWith, charts, describe, fault, fill, options, say } from "./dom.js";

let result = null, chosen = null, drawn = null, recent = true;
const watchers = [];

export const current = () => result;
export const series = () => chosen;
export const pane = () => drawn.panes[0];
export const axis = () => drawn.axis;

// Told when another series, or another result, is shown.
export function onShown(watcher) {
  watchers.push(watcher);
}

// The charts of one of the series that came together.
function alone(found, place) {
  const components = found.components && [found.components[place]];
  return { ...found, panes: [found.panes[place]], components };
}

export function show(found) {
  result = found;
  chosen = found.series[0];
  drawn = alone(found.charts, 0);
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
  fault(at("shown-fault"), "");
  options(at("shown-names"), found.series.map((name) => [name, name]));
  at("picker-place").hidden = found.series.length < 2;
  at("shown").value = chosen;
  redraw();
  told();
}

function told() {
  at("parts-section").hidden = !drawn.components?.[0]?.parts.length;
  watchers.forEach((watcher) => watcher());
}

async function choose(name) {
  const asked = result, place = asked.charts.panes.findIndex((one) => one.name === name);
  const complete = place >= 0 && asked.charts.components?.[place];
  fault(at("shown-fault"), "");
  try {
    const found = complete ? alone(asked.charts, place) : alone(await get(path("chart", name)), 0);
    if (result !== asked || at("shown").value !== name) return;  // another one was chosen meanwhile
    chosen = name;
    drawn = found;
  } catch (problem) {
    if (result !== asked || at("shown").value !== name) return;
    at("shown").value = chosen;
    fault(at("shown-fault"), problem.message);
    return;
  }
  redraw();
  told();
}

// Whether something is still about what is shown, when its answer comes; asked before the question.
export function watched() {
  const then = drawn;
  return () => then === drawn;
}

export function path(what, series = chosen) {
  const query = what.startsWith("files/") ? "" : "?series=" + encodeURIComponent(series);
  return "/page/results/" + encodeURIComponent(result.id) + "/" + what + query;
}

// `extra`: other lines of the chart, such as the forecast of another plan.
export function redraw(extra) {
  if (!result) return;
  charts.drawForecast("chart", drawn, 0, recent, extra);
  charts.fillNumbers("numbers", pane());
  const whole = charts.isWhole(drawn, 0);
  at("recent").hidden = at("all").hidden = whole;
  at("recent").setAttribute("aria-pressed", String(recent));
  at("all").setAttribute("aria-pressed", String(!recent));
  const write = charts.writer(pane().point), last = pane().point.length - 1;
  describe(at("chart"), say("Chart of {name}: the forecast goes from {first} to {last}.",
    { name: pane().name, first: write(pane().point[0]), last: write(pane().point[last]) }));
  if (at("steps")) charts.drawSteps("steps", result.charts.steps);
  drawParts();
}

at("recent").onclick = () => { recent = true; redraw(); };
at("all").onclick = () => { recent = false; redraw(); };
at("shown").onchange = () => choose(at("shown").value);
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

at("parts").ontoggle = drawParts;

function drawParts() {
  const taken = drawn.components?.[0];
  if (!at("parts").open || !taken) return;
  charts.drawComponents("components", pane(), drawn.axis, taken);
  describe(at("components"), taken.parts.map((one) => one.name).join(", "));
}
