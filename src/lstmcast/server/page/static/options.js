// The options beside a result: what a table offers to choose from, and what was chosen.
import { at, element, fault, options, say } from "./dom.js";

const METHODS = ["auto", "network", "best", "seasonal naive", "naive", "linear map"];
const NAMES = {
  auto: say("combination (recommended)"), network: say("network alone"), best: say("best single forecast"),
  "seasonal naive": say("seasonal naive"), naive: say("naive"), "linear map": say("linear map")
};
export const methods = METHODS.map((name) => [name, NAMES[name]]);
// a choice of these changes what is read, and what there is to choose from
export const READING = ["target", "time", "series", "sheet", "frequency", "duplicates", "missing", "holidays"];

const form = at("options");
let offered = [];

// What can be chosen of a table that was looked at.
export function offer(seen) {
  const names = seen.columns.map((name) => [name, name]), auto = [["", say("inferred")]];
  const ask = seen.usable ? auto : [["", say("choose …")]];
  const chosen = { target: form.target.value, time: form.time.value, series: form.series.value };
  const every = ["*", say("every column, as series")];
  options(form.target, [...(seen.usable && !chosen.target ? [] : ask), ...names, every], chosen.target || seen.target);
  options(form.time, [...auto, ...names, ["index", say("none: the rows are numbered")]], chosen.time);
  options(form.series, auto.concat(names), chosen.series);
  offerModels(offered);
  offerKnown(seen);
  if (!seen.usable) return;
  form.horizon.placeholder = seen.usual;
}

// Saved models among the methods; others may have been trained since.
export function offerModels(models) {
  const chosen = form.method.value;
  offered = models;
  const own = offered.map((name) => ["model:" + name, say("saved model {name}", { name })]);
  options(form.method, methods.concat(own), chosen);
}

function offerKnown(seen) {
  at("future").hidden = !seen.usable;
  if (!seen.usable) return;
  const ticked = chosenKnown(), taken = [seen.target, seen.time, ...seen.keys, form.target.value];
  const left = seen.columns.filter((name) => !taken.includes(name)).slice(0, 30);
  at("future-columns").replaceChildren(...left.map((name) => {
    const box = element("input", { type: "checkbox", name: "future", value: name });
    box.checked = ticked.includes(name) || seen.suggested.includes(name);
    return element("label", {}, box, " " + name);
  }));
  at("future").hidden = !left.length;
}

function chosenKnown() {
  return [...form.querySelectorAll("input[name=future]:checked")].map((box) => box.value);
}

// Everything is as at first, for other data, whose target may be known.
export function reset(target) {
  form.reset();
  for (const name of ["target", "time", "series"]) form[name].replaceChildren();
  if (target) options(form.target, [[target, target]], target);
  at("future-columns").replaceChildren();
}

// What was chosen, as the fields of a form with the files; `all`: what is asked of a forecast too.
export function filled(files, all) {
  const sent = new FormData();
  for (const file of files) sent.append("file", file);
  for (const name of READING) append(sent, name, form[name].value);
  for (const name of chosenKnown()) sent.append("future", name);
  if (!all) return sent;
  for (const name of ["horizon", "total", "cutoffs"]) append(sent, name, form[name].value);
  for (const box of form.querySelectorAll("input[name=level]:checked")) sent.append("level", box.value);
  const method = form.method.value;
  if (method.startsWith("model:")) sent.append("model", method.slice(6));
  else append(sent, "method", method);
  return sent;
}

function append(sent, name, value) {
  const texts = name === "holidays" ? value.split(/[,、\s]+/) : [value];
  for (const text of texts) if (text.trim()) sent.append(name, text.trim());
}

// What is wrong stands beside the control that it is about.
export function blame(problem) {
  clear();
  const field = (problem.field || "").split(".")[0];
  const control = field === "until" ? at("horizon") : at(field);
  if (!control || !form.contains(control)) return false;
  control.setAttribute("aria-invalid", "true");
  const told = element("p", { className: "fault", id: "blamed", role: "alert", textContent: problem.message });
  control.setAttribute("aria-describedby", "blamed");
  (control.closest(".field") || control).append(told);
  if (at("more").contains(control)) at("more").open = true;
  told.scrollIntoView({ block: "nearest" });
  return true;
}

export function clear() {
  at("blamed")?.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
  fault(at("options-fault"), "");
}
