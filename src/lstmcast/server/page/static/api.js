// What the page asks of its server: one place that knows the token, the language and what a problem is.
import { at, fault, say } from "./dom.js";

const KEPT = "lstmcast-token";

// What the server refused, in words, and the field that is meant.
export class Problem extends Error {
  constructor(document, status) {
    super(document.detail || say("The answer of the server cannot be read."));
    this.field = document.field;
    this.status = status;
  }
}

function headers() {
  const token = sessionStorage.getItem(KEPT);
  const sent = { "Accept-Language": document.documentElement.lang };
  return token ? { ...sent, Authorization: "Bearer " + bytesOf(token) } : sent;
}

// Headers hold bytes: a browser refuses other letters in them.
function bytesOf(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

// A token that somebody types in; asked once for all requests that wait for it.
let asking = null;

function askToken(refused) {
  asking ??= new Promise((resolve) => {
    const dialog = at("login");
    fault(at("login-fault"), refused ? say("The token is not valid.") : "");
    dialog.returnValue = "";
    dialog.onclose = () => {
      const given = at("token").value.trim();
      if (given) sessionStorage.setItem(KEPT, given);
      at("token").value = "";
      asking = null;
      resolve(given);
    };
    dialog.showModal();
  });
  return asking;
}

// The name of a file that can no longer be read: a browser sends none that changed since.
async function lostFile(body) {
  for (const file of body instanceof FormData ? body.getAll("file") : []) {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      return file.name;
    }
  }
  return null;
}

async function answered(path, given) {
  for (;;) {
    let response;
    try {
      response = await fetch(path, { ...given, headers: { ...headers(), ...given.headers } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      const lost = await lostFile(given.body);
      if (lost) throw new Problem({ detail: say("{name} was changed or moved since it was chosen. Choose it again.", { name: lost }), field: "file" }, 0);
      throw new Problem({ detail: say("The server cannot be reached. Is it running?") }, 0);
    }
    if (response.status !== 401) return response;
    const token = await askToken(Boolean(sessionStorage.getItem(KEPT)));
    if (!token) throw new Problem({ detail: say("This server asks for a token. Ask whoever started the server for it.") }, 401);
  }
}

// The answer to a request; Problem where there is none.
export async function ask(path, given = {}) {
  const response = await answered(path, given);
  if (response.ok) return response;
  throw new Problem(await response.json().catch(() => ({})), response.status);
}

export async function get(path) {
  return (await ask(path)).json();
}

export async function post(path, document) {
  const body = JSON.stringify(document);
  return (await ask(path, { method: "POST", body, headers: { "Content-Type": "application/json" } })).json();
}

export async function send(path, form, signal) {
  return (await ask(path, { method: "POST", body: form, signal })).json();
}

// A file of the server, saved by the browser.
export async function download(path, name) {
  const content = await (await ask(path)).blob();
  const address = URL.createObjectURL(content), link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Server-sent events, read by hand: the browser's own reader sends no token.
export async function* events(path, signal) {
  const response = await ask(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (kept + value).split("\n\n");
    kept = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const kind = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (kind === "end") return;
      if (data) yield JSON.parse(data);
    }
  }
}
