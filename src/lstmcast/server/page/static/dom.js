// Elements of the page, and the words of its language.
const words = JSON.parse(document.getElementById("words").textContent);
export const charts = lstmcastCharts(words);
export const say = charts.say;

export const at = (id) => document.getElementById(id);

// An element with properties and children; texts stay texts.
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function options(place, pairs, chosen) {
  place.replaceChildren(...pairs.map(([value, text]) => element("option", { value, textContent: text })));
  if (pairs.some(([value]) => value === chosen)) place.value = chosen;
}

// A fault beside what caused it, or none.
export function fault(place, text) {
  place.hidden = !text;
  place.textContent = text || "";
}

// HTML that the server made: whatever comes from data is escaped in it.
export function fill(place, html) {
  place.innerHTML = html;
}

// While something runs, its button waits.
export async function busyWith(button, work) {
  button.disabled = true;
  try {
    return await work();
  } finally {
    button.disabled = false;
  }
}

// What a screen reader says of a chart.
export function describe(place, text) {
  place.setAttribute("aria-label", text);
}
