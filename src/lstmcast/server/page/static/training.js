// Trainings: begun on the table that is shown, followed by their learning curve, used and removed.
import { ask, download, events, get, post, send } from "./api.js";
import { compareWith, compareWithout } from "./compare.js";
import { at, busyWith, charts, describe, element, fault, say } from "./dom.js";
import { filled, offerModels } from "./options.js";
import { onShown } from "./result.js";

const ENDED = ["done", "stopped", "failed", "interrupted"];
const AGAIN = 3000;  // milliseconds until a server that went away is asked again
const STATES = {
  waiting: say("waiting"), running: say("being trained"), done: say("done"), stopped: say("stopped"),
  failed: say("failed"), interrupted: say("interrupted")
};
let tables = () => [], followed = null, lines = new Map(), listening = null, drawing = false;

const address = (name, below = "") => "/v1/trainings/" + encodeURIComponent(name) + below;

// `files`: gives those that are shown.
export function connect(files, about) {
  tables = files;
  at("no-training").hidden = !about.no_training;
  at("no-training").textContent = about.no_training || "";
  at("train-form").hidden = Boolean(about.no_training);
  at("train-minutes").max = about.minutes;
  at("train-minutes").value = Math.min(5, about.minutes);
}

onShown(() => list().catch(() => null));

// ------------------------------------------------------------ which there are

async function list() {
  const [{ trainings }, { models }] = await Promise.all([get("/v1/trainings"), get("/page/about")]);
  const shown = followed?.name;
  const others = trainings.filter((one) => one.name !== shown).reverse();
  at("train-others").hidden = !others.length;
  at("train-count").textContent = "(" + others.length + ")";
  at("train-list").replaceChildren(...others.map(listed));
  offerModels(models);
  const running = trainings.find((one) => !ENDED.includes(one.state));
  if (!followed && running) follow(running);
}

function listed(training) {
  const show = element("button", { type: "button", textContent: say("Show") });
  show.onclick = () => guarded(async () => follow(await get(address(training.name))));
  show.setAttribute("aria-label", say("Show") + " " + training.name);
  const about = [training.data.target, STATES[training.state]].join(", ");
  return element("li", {}, element("span", {}, element("b", { textContent: training.name }), element("br"), about), show);
}

// ------------------------------------------------------------ a new one

at("train-form").onsubmit = (event) => {
  event.preventDefault();
  busyWith(at("train-go"), () => guarded(async () => {
    const training = await send("/v1/trainings", asked());
    at("train-name").value = "";
    follow(training);
    at("train-now").scrollIntoView({ block: "nearest", behavior: "smooth" });
  }));
};

function asked() {
  const sent = filled(tables(), false), what = at("train-what").value;
  const told = { horizon: at("horizon").value, minutes: at("train-minutes").value, name: at("train-name").value };
  if (what === "balanced") told.preset = what;
  else Object.assign(told, { weights: what, epochs: at("train-epochs").value });
  for (const [name, text] of Object.entries(told)) if (text.trim()) sent.append(name, text.trim());
  return sent;
}

at("train-what").onchange = () => {
  at("train-epochs").disabled = at("train-what").value === "balanced";
};

// What goes wrong stands below the buttons.
async function guarded(work) {
  fault(at("train-fault"), "");
  try {
    return await work();
  } catch (problem) {
    if (problem.name !== "AbortError") fault(at("train-fault"), problem.message);
    return null;
  }
}

// ------------------------------------------------------------ one that is followed

async function follow(training) {
  listening?.abort();
  const mine = listening = new AbortController(), name = training.name;
  followed = training;
  lines = new Map();
  (training.epochs || []).forEach(keep);
  at("train-now").hidden = false;
  at("train-title").textContent = name;
  list().catch(() => null);
  tell();
  while (mine === listening && !ENDED.includes(followed.state)) await listen(name, mine).catch(() => null);
}

// Until it ends; a server that is away is asked again.
async function listen(name, mine) {
  try {
    for await (const line of events(address(name, "/events"), mine.signal)) {
      if (mine !== listening) return;
      // how it ended is told by the whole document, which is asked for then
      if (!line.state) keep(line);
      else if (!ENDED.includes(line.state)) followed.state = line.state;
      schedule();
    }
  } catch (problem) {
    if (problem.name === "AbortError") return;
    at("train-state").textContent = problem.message;
  }
  const found = await get(address(name)).catch((problem) => problem);
  if (mine !== listening) return;
  if (found.status === 404) return gone();
  if (found instanceof Error || !ENDED.includes(found.state)) {
    await new Promise((wait) => setTimeout(wait, AGAIN));
    return;
  }
  followed = found;
  tell();
  at("train-said").textContent = name + ": " + STATES[found.state];
  list().catch(() => null);
}

function keep(line) {
  if (line.note) followed.said = line.note;
  if (line.epoch) lines.set([line.run, line.member, line.epoch].join(), line);
}

function gone() {
  listening?.abort();
  listening = followed = null;
  at("train-now").hidden = true;
  list().catch(() => null);
}

// ------------------------------------------------------------ what is told of it

function schedule() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; tell(); });
}

function tell() {
  if (!followed) return;
  const { state } = followed, newest = [...lines.values()].pop(), ended = ENDED.includes(state);
  at("train-state").textContent = sentence(newest);
  fault(at("train-reason"), ended && followed.detail);
  fault(at("train-notes"), ended && (followed.notes || []).join(" "));
  at("train-progress").hidden = ended;
  if (newest && newest.left !== null) at("train-progress").value = share(newest);
  else at("train-progress").removeAttribute("value");
  at("train-stop").hidden = ended;
  at("train-resume").hidden = !followed.resumable;
  at("train-use").hidden = at("train-file").hidden = !followed.model;
  at("train-remove").hidden = !ended;
  redraw();
}

function sentence(line) {
  const { state } = followed;
  if (state === "waiting") return say("Waiting: another training is running.");
  if (!line && state === "running") return followed.said || say("Starting …");
  const parts = [STATES[state]];
  if (ENDED.includes(state)) return parts.concat(lines.size ? say("{count} epochs", { count: lines.size }) : []).join(" · ");
  if (line) parts.push(say("epoch {epoch} of {epochs}", line));
  if (line?.members > 1) parts.push(say("network {number} of {members}", { number: line.member + 1, members: line.members }));
  if (line?.left) parts.push(say("about {time} left", { time: lasting(line.left) }));
  return parts.join(" · ");
}

function lasting(seconds) {
  if (seconds < 90) return say("{count} s", { count: Math.max(1, Math.round(seconds)) });
  return say("{count} min", { count: Math.round(seconds / 60) });
}

const share = (line) => (line.member * line.epochs + line.epoch) / (line.members * line.epochs);

export function redraw() {
  const known = [...lines.values()], place = at("train-chart");
  place.hidden = !known.length;
  if (!known.length || at("training").offsetParent === null) return;
  const curve = learningCurve(known);
  charts.drawLearning("train-chart", curve, false);
  const write = charts.writer(curve.members.map((one) => one.loss));
  describe(place, say("Training and validation loss after each epoch; the lowest is {lowest}.",
    { lowest: write(Math.min(...curve.members.map((one) => one.loss))) }));
}

// The lines of each network as one curve, for the picture that the report draws as well.
function learningCurve(known) {
  const labels = { epoch: say("epoch"), loss: say("loss"), train: say("training"), validation: say("validation"),
    start: "", kept: say("kept") };
  const members = [...grouped(known).values()].map((own, member) => {
    const newest = own[own.length - 1], best = own.find((line) => line.epoch === newest.best_epoch);
    return { member, epochs: own.map((line) => line.epoch), train: own.map((line) => line.train),
      validation: own.map((line) => line.validation), start: null, kept: best ? best.epoch : null,
      loss: best ? best.validation ?? best.train : newest.validation ?? newest.train };
  });
  return { labels, members };
}

const network = (line) => line.run + "," + line.member;

// By hand: browsers have had a function for it since 2024 only.
function grouped(known) {
  const groups = new Map();
  for (const line of known) {
    if (!groups.has(network(line))) groups.set(network(line), []);
    groups.get(network(line)).push(line);
  }
  return groups;
}

// ------------------------------------------------------------ what can be done with it

function button(id, work) {
  at(id).onclick = () => busyWith(at(id), () => guarded(() => work(followed.name)));
}

button("train-stop", async (name) => {
  const training = await post(address(name, "/stop"), {});
  if (ENDED.includes(training.state)) follow(training);
  else at("train-state").textContent = say("Stopping after this epoch …");
});
button("train-resume", async (name) => {
  await post(address(name, "/resume"), {});
  follow(await get(address(name)));
});
button("train-use", (name) => compareWith(name));
button("train-file", (name) => download(address(name, "/model.zip"), name + ".zip"));
button("train-remove", async (name) => {
  await ask(address(name), { method: "DELETE" });
  compareWithout(name);
  gone();
  at("train-go").focus();
});
