// Streams of the server: followed by their events, and an example that is sent value by value.
import { ask, events, get, post } from "./api.js";
import { at, busyWith, charts, describe, element, fault, say } from "./dom.js";

const SHOWN = 160;
// Each page has an example of its own: two would end each other's.
const EXAMPLE = "page-example-" + Math.random().toString(36).slice(2, 10);
let listening = null, replaying = null, followed = null;

// ------------------------------------------------------------ which there are

export async function refresh() {
  try {
    const { streams } = await get("/v1/streams");
    at("no-streams").hidden = streams.length > 0;
    at("stream-list").replaceChildren(...streams.map(listed));
  } catch (problem) {
    fault(at("stream-fault"), problem.message);
  }
}

function listed(stream) {
  const follow = element("button", { type: "button", textContent: say("Follow"), onclick: () => start(stream.name) });
  follow.setAttribute("aria-label", say("Follow") + " " + stream.name);
  const told = say("rows: {rows}, ticks: {ticks}", { rows: stream.rows.length, ticks: stream.ticks });
  return element("li", {}, element("span", {}, element("b", { textContent: stream.name }), element("br"), told), follow);
}

at("stream-refresh").onclick = () => busyWith(at("stream-refresh"), refresh);

// ------------------------------------------------------------ one that is followed

async function start(name) {
  listening?.abort();
  const mine = listening = new AbortController();
  followed = { name, ticks: [], row: null };
  at("stream-name").textContent = name;
  at("stream-followed").hidden = false;
  at("stream-state").textContent = say("waiting for a tick");
  at("alerts").replaceChildren();
  at("no-alerts").hidden = false;
  at("stream-row").replaceChildren();
  fault(at("stream-fault"), "");
  try {
    for await (const answer of events("/v1/streams/" + encodeURIComponent(name) + "/events", mine.signal)) read(answer);
    if (mine === listening) at("stream-state").textContent = say("The stream has ended.");
  } catch (problem) {
    if (problem.name !== "AbortError") fault(at("stream-fault"), problem.message);
  }
}

function read(answer) {
  if (!answer.rows) return;
  const rows = [...at("stream-row").options].map((option) => option.value);
  const added = answer.rows.filter((row) => !rows.includes(row)).slice(0, 500);
  at("stream-row").append(...added.map((row) => element("option", { value: row, textContent: row })));
  at("stream-row-place").hidden = at("stream-row").options.length < 2;
  followed.ticks.push(answer);
  if (followed.ticks.length > SHOWN) followed.ticks.shift();
  for (const row of answer.alerts || []) alarm(row, answer);
  at("stream-state").textContent = say("tick {tick}", { tick: answer.tick });
  schedule();
}

function alarm(row, answer) {
  const place = answer.rows.indexOf(row), when = answer.time?.replace("T", " ").replace(/:00$/, "") || say("tick {tick}", { tick: answer.tick });
  const value = answer.observed?.[place], write = charts.writer([answer.expected[place]]);
  const told = say("{row}: {value}, expected {expected} (score {score})", { row, expected: write(answer.expected[place]),
    value: value === undefined ? "–" : write(value), score: answer.score[place].toFixed(3) });
  at("alerts").prepend(element("li", {}, element("b", { textContent: when }), told));
  while (at("alerts").children.length > 50) at("alerts").lastChild.remove();
  at("no-alerts").hidden = true;
}

let waiting = false;

function schedule() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; redraw(); });
}

export function redraw() {
  if (!followed?.ticks.length || at("streams-view").hidden) return;
  const row = at("stream-row").value, colours = charts.colours(), newest = followed.ticks[followed.ticks.length - 1];
  const read = followed.ticks.filter((tick) => tick.rows.includes(row));
  const x = (tick) => tick.time || tick.tick, of = (tick, what) => tick[what]?.[tick.rows.indexOf(row)] ?? null;
  const place = newest.rows.indexOf(row), traces = [];
  const ahead = place < 0 ? [] : newest.times || newest.point[place].map((_, i) => newest.tick + i + 1);
  if (newest.quantiles && place >= 0) {
    const levels = Object.keys(newest.quantiles).sort((a, b) => a - b);
    const low = newest.quantiles[levels[0]][place], high = newest.quantiles[levels[levels.length - 1]][place];
    traces.push({ x: [...ahead, ...ahead.slice().reverse()], y: [...high, ...low.slice().reverse()], fill: "toself", mode: "lines",
      line: { width: 0 }, fillcolor: colours.blue + "33", name: say("interval"), hoverinfo: "skip" });
  }
  traces.push({ x: read.map(x), y: read.map((tick) => of(tick, "expected")), mode: "lines", name: say("expected"),
    line: { color: colours.blue, width: 1.6, dash: "dot" } });
  if (read.some((tick) => tick.observed)) traces.push({ x: read.map(x), y: read.map((tick) => of(tick, "observed")), mode: "lines",
    name: say("value"), line: { color: colours.ink, width: 1.8 } });
  if (place >= 0) traces.push({ x: ahead, y: newest.point[place], mode: "lines", name: say("forecast"), line: { color: colours.blue, width: 2.6 } });
  const marked = read.filter((tick) => tick.alerts?.includes(row));
  traces.push({ x: marked.map(x), y: marked.map((tick) => of(tick, "observed") ?? of(tick, "expected")), mode: "markers", name: say("alert"),
    marker: { color: colours.amber, size: 12, symbol: "diamond", line: { color: colours.card, width: 1.5 } } });
  Plotly.react("stream-chart", traces, charts.layout({ type: newest.time ? "date" : "linear" }, {}, {}), charts.config);
  describe(at("stream-chart"), say("The newest values of {row}, and their forecast", { row }));
}

at("stream-row").onchange = redraw;

// ------------------------------------------------------------ the example

// A day's rhythm with noise; after four days a fault, for a while, and again.
function* sensor() {
  let seed = 42;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648 - 0.5;
  for (let hour = 0; ; hour++) {
    const rhythm = 60 + 14 * Math.sin((2 * Math.PI * hour) / 24) + 4 * Math.sin((4 * Math.PI * hour) / 24);
    const faulty = hour % 160 >= 100 && hour % 160 < 104;
    yield Number((rhythm + 3 * random() + (faulty ? 32 : 0)).toFixed(2));
  }
}

const BEFORE = 72;  // values that are read at once, so that there is something to see

async function replay(signal) {
  const address = "/v1/streams/" + EXAMPLE, values = sensor(), begin = Date.UTC(2025, 0, 1);
  const { streams } = await get("/v1/streams");
  if (streams.some((stream) => stream.name === EXAMPLE)) await ask(address, { method: "DELETE" });
  await post("/v1/streams", { name: EXAMPLE, rows: ["sensor"], frequency: "hourly", period: [24], horizon: 24 });
  start(EXAMPLE);
  refresh();
  for (let hour = 0; !signal.aborted; hour++) {
    const time = new Date(begin + hour * 3600000).toISOString().slice(0, 16);
    await post(address + "/ticks", { values: [values.next().value], time });
    if (hour >= BEFORE) await new Promise((done) => setTimeout(done, 1000 / Number(at("speed").value)));
  }
  await ask(address, { method: "DELETE" }).catch(() => null);
}

function running(on) {
  at("replay").hidden = on;
  at("replay-stop").hidden = !on;
}

at("replay").onclick = async () => {
  replaying = new AbortController();
  running(true);
  fault(at("stream-fault"), "");
  try {
    await replay(replaying.signal);
  } catch (problem) {
    fault(at("stream-fault"), problem.message);
  } finally {
    running(false);
    refresh();
  }
};
at("replay-stop").onclick = () => replaying?.abort();
// the example ends with the page that sends it
window.addEventListener("pagehide", () => {
  if (!at("replay").hidden) return;
  replaying.abort();
  ask("/v1/streams/" + EXAMPLE, { method: "DELETE", keepalive: true }).catch(() => null);
});
