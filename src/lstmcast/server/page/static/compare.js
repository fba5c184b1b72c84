// Several methods on the same data: their forecasts in one chart, their errors in one table.
import { post } from "./api.js";
import { at, busyWith, charts, describe, element, fault, fill, say } from "./dom.js";
import { methods } from "./options.js";
import { axis, onShown, pane, path, series, watched } from "./result.js";

const AT_FIRST = ["auto", "network", "seasonal naive"];
let found = null;

at("methods").append(...methods.map(([value, text]) => chip(value, text, AT_FIRST.includes(value))));

function chip(value, text, checked) {
  return element("label", {}, element("input", { type: "checkbox", value, checked }), " " + text);
}

// A model that was trained here beside what is chosen already.
export async function compareWith(name) {
  const value = "model:" + name, known = [...at("methods").querySelectorAll("input")];
  const box = known.find((one) => one.value === value);
  if (box) box.checked = true;
  else at("methods").append(chip(value, say("trained: {name}", { name }), true));
  at("comparing").scrollIntoView({ behavior: "smooth" });
  await compare();
}

onShown(() => {
  found = null;
  at("compare-chart").hidden = true;
  fill(at("compare-table"), "");
  at("compare-note").textContent = "";
  fault(at("compare-fault"), "");
});

const compare = () => busyWith(at("compare-go"), async () => {
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
    at("compare-note").textContent = found.told || "";
    at("compare-chart").hidden = false;
    redraw();
  } catch (problem) {
    if (isShown()) fault(at("compare-fault"), problem.message);
  }
});

// It is there no longer.
export function compareWithout(name) {
  at("methods").querySelector("[value='model:" + name + "']")?.parentElement.remove();
}

at("compare-go").onclick = compare;

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
