// Coming values of what is known in advance, changed in a table, and what that does to the forecast.
import { get, post } from "./api.js";
import { at, busyWith, charts, element, fault, fill, say } from "./dom.js";
import { axis, current, onShown, pane, path, redraw, series, watched } from "./result.js";

let plan = null;

onShown(async () => {
  const known = current().known.length > 0;
  at("plans").hidden = !known;
  fill(at("plan-result"), "");
  fault(at("plan-fault"), "");
  at("everywhere").closest("label").hidden = current().series.length < 2;
  if (!known) return;
  const isShown = watched();
  at("plan").replaceChildren();
  try {
    const answer = await get(path("coming"));
    if (!isShown()) return;
    plan = answer;
    tabulate();
  } catch (problem) {
    if (isShown()) fault(at("plan-fault"), problem.message);
  }
});

function tabulate() {
  const names = Object.keys(plan.columns), head = element("thead"), body = element("tbody");
  head.append(charts.row("head", [say("time"), ...names]));
  plan.times.forEach((time, step) => {
    const row = element("tr", {}, element("th", { scope: "row", textContent: time }));
    for (const name of names) row.append(element("td", {}, cell(name, step, time)));
    body.append(row);
  });
  at("plan").replaceChildren(head, body);
}

function cell(name, step, time) {
  const { values, levels } = plan.columns[name], value = values[step] === null ? "" : String(values[step]);
  const field = levels ? element("select") : element("input", { inputMode: "decimal", autocomplete: "off" });
  if (levels) field.append(...["", ...levels].map((text) => element("option", { value: text, textContent: text })));
  field.value = value;
  field.dataset.name = name;
  field.dataset.step = step;
  field.dataset.given = value;
  field.setAttribute("aria-label", name + ", " + time);
  field.oninput = () => field.classList.toggle("changed", field.value !== value);
  return field;
}

const fields = () => [...at("plan").querySelectorAll("[data-name]")];

// The values of the table by column; null where nothing is said.
function planned() {
  const values = {};
  for (const field of fields()) {
    const text = field.value.trim();
    (values[field.dataset.name] ??= [])[Number(field.dataset.step)] = text === "" ? null : text;
  }
  return values;
}

at("plan-reset").onclick = () => {
  for (const field of fields()) {
    field.value = field.dataset.given;
    field.classList.remove("changed");
  }
  fill(at("plan-result"), "");
  fault(at("plan-fault"), "");
  redraw();
};

at("plan-go").onclick = () => busyWith(at("plan-go"), async () => {
  fault(at("plan-fault"), "");
  if (!fields().some((field) => field.classList.contains("changed"))) {
    fault(at("plan-fault"), say("Nothing is changed yet. Change a value in the table."));
    return;
  }
  const isShown = watched();
  try {
    const asked = { series: series(), everywhere: at("everywhere").checked, values: planned() };
    const found = await post(path("what-if").split("?")[0], asked);
    if (!isShown()) return;
    fill(at("plan-result"), found.table);
    const colours = charts.colours(), future = charts.numbers(pane().future, axis());
    redraw([{
      x: future, y: found.point, mode: "lines", name: found.name, line: { color: colours.amber, width: 2.4, dash: "dash" } }]);
    at("chart").scrollIntoView({ block: "nearest", behavior: "smooth" });
  } catch (problem) {
    if (isShown()) fault(at("plan-fault"), problem.message);
  }
});
