// Several methods on the same data: their forecasts in one chart, their errors in one table.
import { post } from "./api.js";
import { at, busyWith, charts, describe, element, fault, fill, say } from "./dom.js";
import { methods } from "./options.js";
import { axis, onShown, pane, path, series, watched } from "./result.js";

const AT_FIRST = ["auto", "network", "seasonal naive"];
let found = null;

at("methods").append(...methods.map(([value, text]) => {
  const box = element("input", { type: "checkbox", value, checked: AT_FIRST.includes(value) });
  return element("label", {}, box, " " + text);
}));

onShown(() => {
  found = null;
  at("compare-chart").hidden = true;
  fill(at("compare-table"), "");
  fault(at("compare-fault"), "");
});

at("compare-go").onclick = () => busyWith(at("compare-go"), async () => {
  const asked = [...at("methods").querySelectorAll(":checked")].map((box) => box.value);
  fault(at("compare-fault"), asked.length ? "" : say("Choose a method or several."));
  if (!asked.length) return;
  const isShown = watched();
  try {
    const answer = await post(path("compare").split("?")[0], { series: series(), methods: asked });
    if (!isShown()) return;
    found = answer;
    fill(at("compare-table"), found.table || "");
    fault(at("compare-fault"), found.note);
    at("compare-chart").hidden = false;
    redraw();
  } catch (problem) {
    if (isShown()) fault(at("compare-fault"), problem.message);
  }
});

export function redraw() {
  if (!found) return;
  const colours = charts.colours(), shown = pane(), first = Math.max(0, shown.times.length - 3 * shown.future.length);
  const future = charts.numbers(found.times, axis()), lines = [colours.blue, ...colours.others.slice(1)];
  const traces = Object.entries(found.points).map(([name, point], i) => ({
    x: future, y: point, mode: "lines", name: charts.plain(name),
    line: { color: lines[i], width: i ? 1.8 : 2.6, dash: i ? colours.dashes[i % 4] : "solid" } }));
  traces.unshift({ x: charts.numbers(shown.times.slice(first), axis()), y: shown.values.slice(first), mode: "lines", name: say("history"),
    line: { color: colours.ink, width: 1.6 } });
  Plotly.react("compare-chart", traces, charts.layout({ type: axis() }, {}, {}, true), charts.config);
  describe(at("compare-chart"), Object.keys(found.points).join(", "));
}
