// The page: views, looks, and the way from a file to a forecast.
import { ask, get, send } from "./api.js";
import * as comparison from "./compare.js";
import { at, charts, fault, fill, say } from "./dom.js";
import { READING, blame, clear, filled, offer, offerModels, reset } from "./options.js";
import "./plans.js";
import { redraw, show } from "./result.js";
import * as streams from "./streams.js";
import * as trainings from "./training.js";

let files = [], about = { models: [], body: Infinity }, running = null;

// ------------------------------------------------------------ looks

function wear(theme) {
  document.documentElement.dataset.theme = theme;
  charts.paint(false);
  redraw();
  comparison.redraw();
  trainings.redraw();
  streams.redraw();
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const chosenTheme = () => localStorage.getItem("lstmcast-theme") || (dark.matches ? "dark" : "light");
at("theme").onclick = () => {
  localStorage.setItem("lstmcast-theme", chosenTheme() === "dark" ? "light" : "dark");
  wear(chosenTheme());
};
dark.addEventListener("change", () => wear(chosenTheme()));

const other = document.documentElement.lang === "ja" ? ["en", "English"] : ["ja", "日本語"];
Object.assign(at("language"), { href: "?language=" + other[0], hreflang: other[0], lang: other[0], textContent: other[1] });

for (const tab of document.querySelectorAll(".tab")) tab.onclick = () => {
  view(tab.dataset.view);
  scrollTo(0, 0);
};

function view(name) {
  for (const tab of document.querySelectorAll(".tab")) {
    if (tab.dataset.view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  for (const one of document.querySelectorAll(".view")) one.hidden = one.id !== name + "-view";
  if (name === "streams") streams.refresh().then(streams.redraw);
  else redraw();
}

// ------------------------------------------------------------ a file

async function take(given, target) {
  if (!given.length) return;
  const place = at("desk").hidden ? at("file-fault") : at("data-fault");
  fault(place, "");
  const size = [...given].reduce((sum, file) => sum + file.size, 0);
  if (size > about.body) {
    const most = (about.body / 1e6).toLocaleString("en-US");
    fault(place, say("The file is larger than {most} MB, the limit of this server.", { most }));
    return;
  }
  files = [...given];
  reset(target);
  fill(at("facts"), "");
  at("found").hidden = true;
  at("file-name").textContent = files.length === 1 ? files[0].name : say("{count} files", { count: files.length });
  at("result").hidden = true;
  await lookAndForecast();
}

// What can be used is forecast at once: there is something to see then.
async function lookAndForecast() {
  const seen = await look();
  if (!seen?.usable) return;
  // what goes on beyond the target is likely known in advance: ticked, for all to see
  if (!seen.suggested.length || (await look())?.usable) await forecast();
}

at("file").onchange = () => take(at("file").files);
at("other").onclick = () => {
  running?.abort();
  at("file").value = "";
  at("desk").hidden = true;
  at("start").hidden = false;
  at("file").focus();
};
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) {
      view("forecast");
      take(event.dataTransfer.files);
    }
  });
}
for (const button of document.querySelectorAll("[data-example]")) {
  button.onclick = () => guarded(at("file-fault"), async () => {
    const table = await (await ask("/page/examples/" + button.dataset.example)).blob();
    await take([new File([table], button.dataset.example, { type: "text/csv" })], button.dataset.target);
  });
}

async function guarded(place, work) {
  try {
    return await work();
  } catch (problem) {
    if (problem.name !== "AbortError") fault(place, problem.message);
    return null;
  }
}

// What runs is one thing: what is asked for next takes its place.
async function alone(text, work) {
  running?.abort();
  const mine = running = new AbortController();
  at("busy-text").textContent = text;
  at("busy").hidden = false;
  at("results").classList.add("stale");
  at("results").setAttribute("aria-busy", "true");
  try {
    return await work(mine.signal);
  } finally {
    if (mine === running) {
      at("busy").hidden = true;
      at("results").classList.remove("stale");
      at("results").setAttribute("aria-busy", "false");
    }
  }
}

// ------------------------------------------------------------ what is in it

async function look() {
  let seen;
  try {
    seen = await alone(say("Reading the data …"), (signal) => send("/page/look", filled(files, false), signal));
  } catch (problem) {
    if (problem.name === "AbortError") return null;
    clear();
    if (at("desk").hidden) fault(at("file-fault"), problem.message);
    else if (!blame(problem)) fault(at("data-fault"), problem.message);
    return null;
  }
  // not before: a button that moves while it is pressed is missed
  clear();
  at("start").hidden = true;
  at("desk").hidden = false;
  fill(at("facts"), seen.data || "");
  fill(at("findings"), seen.findings || "");
  at("found").hidden = !seen.findings;
  at("found-count").textContent = seen.noticed ? "(" + seen.noticed + ")" : "";
  at("found").open = Boolean(seen.serious);
  at("go").disabled = !seen.usable;
  at("hint").hidden = seen.usable || !at("result").hidden;
  offer(seen);
  const placed = !seen.usable && blame({ field: seen.field, message: seen.problem });
  fault(at("data-fault"), seen.usable || placed ? "" : seen.problem);
  return seen;
}

// ------------------------------------------------------------ its forecast

async function forecast() {
  try {
    const asked = filled(files, true);
    show(await alone(say("Forecasting, and testing it on held-out data …"), (signal) => send("/page/forecast", asked, signal)));
    clear();
    at("said").textContent = say("Done. {verdict}", { verdict: at("verdict").textContent });
    if (charts.narrow.matches) at("result-title").scrollIntoView({ behavior: "smooth" });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    clear();
    if (!blame(problem)) fault(at("options-fault"), problem.message);
  }
}

at("options").onsubmit = async (event) => {
  event.preventDefault();
  if (!at("go").disabled) await forecast();
};
at("options").onchange = async (event) => {
  if (!READING.includes(event.target.name) && event.target.name !== "future") return;
  if (at("result").hidden) await lookAndForecast();
  else await look();
};

// ------------------------------------------------------------ the beginning

wear(chosenTheme());
guarded(at("file-fault"), async () => {
  about = await get("/page/about");
  offerModels(about.models);
  trainings.connect(() => files, about);
});
