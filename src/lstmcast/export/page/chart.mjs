// A line chart of a history and its forecast, as SVG.

import { counting, higher, isKnown, lower } from "./numbers.mjs";

const EDGE = { top: 12, right: 14, bottom: 30, left: 54 };
const NAMESPACE = "http://www.w3.org/2000/svg";

/** Round numbers between two values, about so many. */
export function ticks(low, high, count) {
  const rough = (high - low || Math.abs(high) || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return counting(Math.max(last - first + 1, 0)).map((k) => Number(((first + k) * step).toPrecision(12)));
}

/** A number with as many digits as a reader needs. */
export function shown(value, language) {
  if (!isKnown(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return value.toPrecision(4);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString(language, { maximumFractionDigits: digits });
}

function element(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The parts of a line between which values are missing. */
function path(points) {
  let isDown = false;
  return points
    .map(([x, y]) => {
      if (!isKnown(y)) {
        isDown = false;
        return "";
      }
      const command = isDown ? "L" : "M";
      isDown = true;
      return `${command}${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join("");
}

/**
 * Draw into an element. `points`: {label, value} of the history, {label, value, low, high} of the
 * forecast after it. `tell` is called with the point below the pointer, or null.
 */
export function drawChart(holder, points, { language, title, tell }) {
  const width = Math.max(holder.clientWidth, 280);
  const height = Math.min(Math.max(width * 0.5, 240), 420);
  const all = points.flatMap((point) => [point.value, point.low ?? NaN, point.high ?? NaN]);
  const margin = 0.05 * (all.reduce(higher, NaN) - all.reduce(lower, NaN)) || 1;
  const low = all.reduce(lower, NaN) - (all.reduce(lower, NaN) >= 0 && all.reduce(lower, NaN) < margin ? 0 : margin);
  const high = all.reduce(higher, NaN) + margin;
  const across = (width - EDGE.left - EDGE.right) / Math.max(points.length - 1, 1);
  const x = (k) => EDGE.left + k * across;
  const y = (value) => height - EDGE.bottom - ((value - low) / (high - low)) * (height - EDGE.top - EDGE.bottom);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  drawAxes(svg, points, { x, y, low, high, width, height, language });
  drawLines(svg, points, x, y);
  const cursor = element("line", { class: "cursor", y1: EDGE.top, y2: height - EDGE.bottom, x1: -9, x2: -9 });
  svg.append(cursor);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * width;
    const k = Math.min(Math.max(Math.round((place - EDGE.left) / across), 0), points.length - 1);
    cursor.setAttribute("x1", x(k));
    cursor.setAttribute("x2", x(k));
    tell(points[k]);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.setAttribute("x1", -9);
    cursor.setAttribute("x2", -9);
    tell(null);
  });
  holder.replaceChildren(svg);
}

function drawAxes(svg, points, { x, y, low, high, width, height, language }) {
  for (const value of ticks(low, high, 5)) {
    svg.append(element("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }));
    svg.append(element("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, shown(value, language)));
  }
  const every = Math.ceil(points.length / Math.max(Math.floor(width / 130), 2));
  points.forEach((point, k) => {
    const fits = x(k) < width - 40 || k === points.length - 1;
    if (k % every !== 0 || !fits) return;
    svg.append(element("text", { x: x(k), y: height - 10, "text-anchor": "middle" }, point.label));
  });
}

function drawLines(svg, points, x, y) {
  const first = points.findIndex((point) => point.low !== undefined);
  const ahead = points.map((point, k) => [point, k]).slice(first);
  const top = ahead.map(([point, k]) => [x(k), y(point.high)]);
  const bottom = ahead.map(([point, k]) => [x(k), y(point.low)]).reverse();
  svg.append(element("path", { class: "band", d: `${path([...top, ...bottom])}Z` }));
  const line = (from, to, kind) => {
    const own = points.slice(from, to).map((point, k) => [x(from + k), y(point.value)]);
    svg.append(element("path", { class: kind, d: path(own) }));
  };
  line(0, first, "history");
  line(first - 1, points.length, "forecast");
}
