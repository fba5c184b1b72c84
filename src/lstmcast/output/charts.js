"use strict";
// The charts of the report and of the server's page, drawn by plotly. `words`: the texts of `say` in
// the language of the page. What is drawn is what `Report` gives as its charts.
function lstmcastCharts(words) {
  // The colours of the page, light or dark; on paper always light. `paint` reads them anew.
  let BLUE, INK, AMBER, FAINT, GRID, CARD, EDGE;
  function paint() {
    const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    [BLUE, INK, AMBER, FAINT, GRID, CARD, EDGE] = printing ? ["#1556b0", "#1f2933", "#d9822b", "#5b6773", "#e4e8ec", "#fff", "#c6ced6"]
      : ["--blue", "--ink", "--held", "--faint", "--line", "--card", "--edge"].map(of);
  }
  let printing = false;
  paint();
  const OTHERS = ["#7b8794", "#d9822b", "#2f9e6e", "#8f5bb5", "#c2556b", "#4aa3b5", "#a08a3c"];
  const DASHES = ["dot", "dash", "dashdot", "longdash"];
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  const narrow = window.matchMedia("(max-width: 720px)");
  // The buttons are named one by one: plotly's own choice has one that sends the data to its maker.
  const config = { responsive: true, displaylogo: false, plotlyServerURL: "", displayModeBar: coarse ? true : "hover",
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]] };

  // The words of the page's language; what stands in braces is put in.
  function say(text, places) {
    return words[text].replace(/\{(\w+)\}/g, (_, name) => places[name]);
  }

  // How plotly writes dates and names its buttons; English is its own.
  const LANGUAGE = document.documentElement.lang;
  if (LANGUAGE === "ja") {
    const months = Array.from({ length: 12 }, (_, i) => (i + 1) + "月"), days = Array.from("日月火水木金土");
    Plotly.register({ moduleType: "locale", name: "ja",
      dictionary: { "Download plot as a PNG": "PNGで保存", "Zoom": "範囲を拡大", "Pan": "移動", "Zoom in": "拡大",
        "Zoom out": "縮小", "Reset axes": "元に戻す", "Double-click to zoom back out": "ダブルクリックで元に戻る" },
      format: { days: days.map((d) => d + "曜日"), shortDays: days, months: months, shortMonths: months,
        date: "%Y/%m/%d", year: "%Y年", month: "%Y年%-m月", dayMonth: "%-m月%-d日", dayMonthYear: "%Y年%-m月%-d日" } });
  }
  config.locale = LANGUAGE;

  // Plotly reads a little HTML in its texts: names from the data mean themselves.
  function plain(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  // About four digits that count, the same decimals for all, as everywhere in lstmcast.
  function decimalsOf(values) {
    const sizes = values.filter((v) => v !== null && v !== 0).map(Math.abs).sort((a, b) => a - b);
    const size = sizes.length ? sizes[Math.floor(sizes.length / 2)] : 1;
    return Math.min(Math.max(3 - Math.floor(Math.log10(size)), 0), 9);
  }

  function writer(values) {
    const d = decimalsOf(values);
    return (v) => v === null ? "–" : v.toLocaleString("en-US", { minimumFractionDigits: d, maximumFractionDigits: d });
  }

  function layout(x, y, more, low) {
    return Object.assign(printing ? { width: 690, height: low ? 270 : 320 } : {}, {
      margin: { l: 8, r: 12, t: 34, b: narrow.matches ? 132 : 76 }, paper_bgcolor: CARD, plot_bgcolor: CARD, hovermode: "x unified",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: INK },
      hoverlabel: { bgcolor: CARD, bordercolor: EDGE }, dragmode: coarse ? false : "zoom",
      legend: { orientation: "h", x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom" },
      xaxis: Object.assign({ gridcolor: CARD, linecolor: GRID, tickfont: { color: FAINT },
        tickangle: 0, nticks: narrow.matches ? 3 : 0, zeroline: false }, x),
      yaxis: Object.assign({ automargin: true, gridcolor: GRID, tickfont: { color: FAINT }, zeroline: false }, y)
    }, more);
  }

  // ------------------------------------------------------------ the forecast of one series

  function numbers(times, axis) {
    return axis === "linear" ? times.map(Number) : times;
  }

  function bandTrace(band, x, joint, share) {
    const blue = BLUE.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16)).join(", ");
    const colour = "rgba(" + blue + ", " + (0.16 + 0.16 * share) + ")";
    if (x.length === 1) {  // one time alone has no area: its interval is a bar
      return { x: [x[0], x[0]], y: [band.lower[0], band.upper[0]], type: "scatter", mode: "lines",
        line: { width: 10, color: colour }, hoverinfo: "skip", name: say("{level}% interval", band), legendrank: 1010 };
    }
    const lower = joint.concat(band.lower), upper = joint.concat(band.upper);
    return { x: x.concat(x.slice().reverse()), y: upper.concat(lower.slice().reverse()), type: "scatter",
      mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: colour,
      hoverinfo: "skip", name: say("{level}% interval", band), legendrank: 1010 };
  }

  function lone(values) {
    const known = (i) => i >= 0 && i < values.length && values[i] !== null;
    return values.map((v, i) => known(i) && !known(i - 1) && !known(i + 1) ? v : null);
  }

  function traces(pane, axis) {
    const times = numbers(pane.times, axis), future = numbers(pane.future, axis), last = times.length - 1;
    const joined = last >= 0 && pane.values[last] !== null;
    const joint = joined ? [pane.values[last]] : [], x = (joined ? [times[last]] : []).concat(future);
    const all = pane.values.concat(pane.point), write = writer(all), format = ",." + decimalsOf(all) + "f";
    const drawn = pane.bands.map((b, i) => bandTrace(b, x, joint, pane.bands.length > 1 ? i / (pane.bands.length - 1) : 1));
    pane.held_out.forEach((line, i) => drawn.push({ x: numbers(line.times, axis), y: line.point,
      mode: line.point.length === 1 ? "markers" : "lines", marker: { size: 6, color: AMBER }, line: { color: AMBER, width: 1.6 }, name: say("earlier forecasts, held out"), showlegend: i === 0, legendgroup: "held",
      hovertemplate: say("forecast then") + ": %{y:" + format + "}<extra></extra>", legendrank: 1002 }));
    const few = pane.values.filter((v) => v !== null).length <= 60;
    drawn.push({ x: times, y: pane.values, mode: few ? "lines+markers" : "lines", marker: { size: 4 }, legendrank: 1000,
      line: { color: INK, width: 1.6 }, name: say("history"), hovertemplate: say("history") + ": %{y:" + format + "}<extra></extra>" });
    const single = lone(pane.values);
    if (!few && single.some((v) => v !== null)) {
      drawn.push({ x: times, y: single, mode: "markers", marker: { size: 4, color: INK }, showlegend: false,
        hoverinfo: "skip" });
    }
    const said = pane.point.map((v, i) => write(v) + pane.bands.slice().reverse().map((b) =>
      "<br>" + b.level + "%: " + write(b.lower[i]) + " … " + write(b.upper[i])).join(""));
    drawn.push({ x: x, y: joint.concat(pane.point), mode: future.length === 1 ? "lines+markers" : "lines",
      line: { color: BLUE, width: 2.6 }, name: say("forecast"), customdata: (joined ? [""] : []).concat(said),
      hovertemplate: say("forecast") + ": %{customdata}<extra></extra>", legendrank: 1001 });
    if (joined) drawn[drawn.length - 1].hoverinfo = "x+y";
    return drawn;
  }

  function yRange(pane, from, axis) {
    // What is drawn as lines, and the narrowest interval: a wide one may leave the picture, so that it does not rule it.
    const usual = pane.usual, clip = (v) => (v === null || !usual ? v : Math.max(usual[0], Math.min(usual[1], v)));
    const shown = pane.values.slice(from).map(clip).concat(pane.point);
    pane.bands.slice(-1).forEach((b) => { shown.push.apply(shown, b.lower.concat(b.upper)); });
    const start = pane.times[from];
    pane.held_out.forEach((line) => {
      if (axis === "linear" ? Number(line.times[0]) >= Number(start) : line.times[0] >= start) {
        shown.push.apply(shown, line.point);
      }
    });
    let low = Infinity, high = -Infinity;
    shown.forEach((v) => { if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); } });
    if (!(low <= high)) return null;
    const room = 0.35 * (high - low), core = [low - room, high + room];
    pane.bands.slice(0, -1).forEach((b) => b.lower.concat(b.upper).forEach((v) => {
      if (v !== null) { low = Math.min(low, Math.max(v, core[0])); high = Math.max(high, Math.min(v, core[1])); }
    }));
    const space = 0.06 * (high - low) || Math.abs(high) * 0.1 || 1;
    return [low >= 0 && low - space < 0 ? 0 : low - space, high + space];
  }

  // Values that the axis leaves out: an arrow at the edge, with the value.
  function beyond(pane, from, axis) {
    if (!pane.usual) return [];
    const times = numbers(pane.times, axis), write = writer(pane.values), marks = [];
    pane.values.forEach((v, i) => {
      const above = v !== null && v > pane.usual[1], below = v !== null && v < pane.usual[0];
      if (i >= from && (above || below)) {
        marks.push({ x: times[i], y: above ? 1 : 0, yref: "paper", yanchor: above ? "top" : "bottom", showarrow: false,
          text: (above ? "▲ " : "▼ ") + write(v), font: { size: 11 }, bgcolor: CARD });
      }
    });
    return marks;
  }

  // The forecast of one series of `data`, its recent history alone or all of it, and other traces.
  function drawForecast(place, data, chosen, recent, others) {
    const pane = data.panes[chosen], axis = data.axis, from = recent ? Math.max(0, pane.times.length - pane.recent) : 0;
    const range = yRange(pane, from, axis), x = { type: axis }, y = {};
    if (from > 0 && axis !== "category") {
      const ends = [pane.times[from], pane.future[pane.future.length - 1]];
      const dates = axis === "date";  // as text, and in UTC on the way: the reader's time zone is not the data's
      const at = ends.map((t) => dates ? Date.parse(t.replace(" ", "T") + (t.length > 10 ? "Z" : "")) : Number(t));
      const last = at[1] + 0.012 * (at[1] - at[0]);  // room for the last point
      x.range = dates ? [ends[0], new Date(last).toISOString().replace("Z", "")] : [at[0], last];
    }
    if (range) y.range = range;
    y.title = { text: plain(data.unit), standoff: 6, font: { color: FAINT, size: 13 } };
    const known = pane.times.length ? [{ type: "line", yref: "paper", y0: 0, y1: 1, layer: "below",
      x0: numbers(pane.times.slice(-1), axis)[0], x1: numbers(pane.times.slice(-1), axis)[0], line: { color: FAINT, width: 1, dash: "dot" } }] : [];
    Plotly.react(place, traces(pane, axis).concat(others || []), layout(x, y, { uirevision: chosen + "/" + recent, shapes: known,
      annotations: beyond(pane, from, axis) }), config);
  }

  // Whether all of a series is drawn anyway.
  function isWhole(data, chosen) {
    return data.axis === "category" || data.panes[chosen].recent >= data.panes[chosen].times.length;
  }

  function row(kind, cells) {
    const tr = document.createElement("tr");
    cells.forEach((text, i) => {
      const cell = document.createElement(kind === "head" || i === 0 ? "th" : "td");
      if (kind === "head" || i === 0) cell.scope = kind === "head" ? "col" : "row";
      cell.textContent = text;
      tr.append(cell);
    });
    return tr;
  }

  function fillNumbers(place, pane) {
    const bands = pane.bands.slice().reverse(), head = document.createElement("thead");
    const body = document.createElement("tbody"), write = writer(pane.point), most = 400;
    head.append(row("head", [say("time"), say("forecast")].concat(bands.map((b) => say("{level}% interval", b)))));
    pane.future.slice(0, most).forEach((time, i) => body.append(row("body", [time, write(pane.point[i])].concat(
      bands.map((b) => write(b.lower[i]) + " … " + write(b.upper[i]))))));
    if (pane.future.length > most) {
      body.append(row("body", [say("… {count} more", { count: (pane.future.length - most).toLocaleString("en-US") }), ""]));
    }
    document.getElementById(place).replaceChildren(head, body);
  }

  // ------------------------------------------------------------ components, from the top down

  function drawComponents(place, pane, axis, taken) {
    const times = numbers(pane.times.concat(pane.future), axis).slice(-taken.count), rows = taken.parts.length;
    const gap = 0.06, height = (1 - gap * (rows - 1)) / rows, drawn = [], titles = [], axes = {};
    taken.parts.forEach((part, i) => {
      const top = 1 - i * (height + gap), name = i ? "y" + (i + 1) : "y", unit = part.percent ? "%" : "";
      axes["yaxis" + (i ? i + 1 : "")] = { domain: [top - height, top - 0.03], automargin: true, gridcolor: GRID, nticks: 4,
        tickfont: { color: FAINT, size: 11 }, zeroline: false, exponentformat: "B", ticksuffix: unit };
      titles.push({ text: plain(part.name), x: 0, y: top, xref: "paper", yref: "paper", xanchor: "left", yanchor: "middle",
        showarrow: false, font: { size: 12, color: INK } });
      drawn.push({ x: times, y: part.values, yaxis: name, mode: "lines", showlegend: false, name: plain(part.name),
        line: { color: i ? INK : BLUE, width: i ? 1.2 : 2 },
        hovertemplate: plain(part.name) + ": %{y:,." + decimalsOf(part.values) + "f}<extra></extra>" });
    });
    const now = { type: "line", yref: "paper", y0: 0, y1: 1, layer: "below", x0: times[times.length - 1 - pane.future.length],
      x1: times[times.length - 1 - pane.future.length], line: { color: FAINT, width: 1, dash: "dot" } };
    const tall = Math.max(printing ? 240 : 300, (printing ? 80 : 105) * rows);
    document.getElementById(place).style.height = tall + "px";
    const whole = Object.assign(layout({ type: axis }, {}, { annotations: titles, shapes: [now], height: tall }), axes);
    whole.margin = { l: 8, r: 12, t: 16, b: 40 };
    whole.xaxis.anchor = rows > 1 ? "y" + rows : "y";
    Plotly.react(place, drawn, whole, config);
  }

  // ------------------------------------------------------------ scenarios side by side

  function drawScenarios(place, below, data, chosen) {
    const pane = data.panes[chosen], told = data.scenarios, axis = data.axis;
    const x = numbers(pane.future, axis), names = Object.keys(told.points), past = Math.min(pane.times.length, 2 * x.length);
    const all = [].concat.apply([], names.map((name) => told.points[name][chosen])), format = ",." + decimalsOf(all) + "f";
    const colour = (i) => i ? OTHERS[i % OTHERS.length] : BLUE;
    const lines = names.map((name, i) => ({ x: x, y: told.points[name][chosen], name: plain(name), legendrank: 1001 + i,
      mode: x.length > 1 ? "lines" : "markers", line: { color: colour(i), width: 2.4, dash: i ? DASHES[(i - 1) % DASHES.length] : "solid" },
      hovertemplate: plain(name) + ": %{y:" + format + "}<extra></extra>" }));
    if (past) lines.unshift({ x: numbers(pane.times, axis).slice(-past), y: pane.values.slice(-past), name: say("history"), mode: "lines",
      line: { color: INK, width: 1.6 }, hovertemplate: say("history") + ": %{y:" + format + "}<extra></extra>" });
    Plotly.react(place, lines, layout({ type: axis }, {}, {}), config);
    const bands = [], apart = Object.keys(told.apart);
    apart.forEach((name, i) => {
      const [middle, lower, upper] = told.apart[name][chosen], label = plain(name + " − " + names[0]);
      bands.push({ x: x.concat(x.slice().reverse()), y: upper.concat(lower.slice().reverse()), mode: "lines", line: { width: 0 },
        fill: "toself", fillcolor: colour(i + 1), opacity: 0.25, hoverinfo: "skip", showlegend: false });
      bands.push({ x: x, y: middle, name: label, mode: x.length > 1 ? "lines" : "markers", line: { color: colour(i + 1), width: 2.2 },
        showlegend: true, hovertemplate: label + ": %{y:" + format + "}<extra></extra>" });
    });
    const title = { text: say("difference, {level}% interval", told), x: 0.01, xanchor: "left", y: 0.98, yanchor: "top", font: { size: 14 } };
    Plotly.react(below, bands, layout({ type: axis }, { zeroline: true, zerolinecolor: EDGE }, { title: title }, true), config);
  }

  // ------------------------------------------------------------ errors by step

  function drawSteps(place, steps) {
    const all = [].concat.apply([], steps.models.map((m) => m.values)), format = ",." + decimalsOf(all) + "f";
    const x = steps.models[0].values.map((_, i) => i + 1);
    let other = 0;
    const lines = steps.models.map((m) => {
      const n = m.own ? 0 : other++;
      return { x: x, y: m.values, name: plain(m.name), mode: x.length <= 60 ? "lines+markers" : "lines",
        marker: { size: m.own ? 7 : 5 }, hovertemplate: "%{y:" + format + "}",
        line: m.own ? { color: BLUE, width: 3 }
          : { color: OTHERS[n % OTHERS.length], width: 1.8, dash: DASHES[n % DASHES.length] } };
    });
    const label = narrow.matches || printing ? "" : say("steps ahead");
    Plotly.react(place, lines, layout(
      { title: { text: label, standoff: 8, font: { color: FAINT, size: 13 } }, dtick: x.length <= (narrow.matches ? 12 : 24) ? 1 : undefined,
        hoverformat: "d", unifiedhovertitle: { text: say("{step} steps ahead", { step: "%{x}" }) } },
      { rangemode: "tozero" },
      { title: { text: say("{metric} by step ahead", steps), x: 0.01, xanchor: "left", y: 0.98, yanchor: "top",
        font: { size: 14 } } }, true
    ), config);
  }

  // ------------------------------------------------------------ losses over the epochs

  function learningTraces(curve) {
    const said = [], several = curve.members.length > 1;
    curve.members.forEach((m) => said.push.apply(said, m.train.concat(m.validation, m.start, m.loss)));
    const format = ",." + decimalsOf(said.filter((v) => v !== undefined)) + "f", drawn = [];
    [["train", FAINT, 1000], ["validation", BLUE, 1001]].forEach(([kind, colour, rank]) => {
      curve.members.filter((m) => m[kind].some((v) => v !== null)).forEach((m, i) => drawn.push({
        x: m.epochs, y: m[kind], mode: m.epochs.length <= 40 ? "lines+markers" : "lines", marker: { size: 4 },
        line: { color: colour, width: several ? 1.3 : 2 }, opacity: several ? 0.85 : 1, name: plain(curve.labels[kind]),
        legendgroup: kind, showlegend: i === 0, legendrank: rank, connectgaps: true,
        hovertemplate: plain(curve.labels[kind] + (several ? " " + (m.member + 1) : "")) + ": %{y:" + format + "}<extra></extra>"
      }));
    });
    const last = Math.max.apply(null, curve.members.map((m) => m.epochs.length ? m.epochs[m.epochs.length - 1] : 1));
    curve.members.filter((m) => m.start !== null).forEach((m, i) => drawn.push({ x: [0, last], y: [m.start, m.start],
      mode: "lines", line: { color: INK, width: 1.2, dash: "dash" }, name: plain(curve.labels.start), hoverinfo: "skip",
      legendgroup: "start", showlegend: i === 0, legendrank: 1002 }));
    const kept = curve.members.filter((m) => m.kept !== null);
    if (kept.length) drawn.push({ x: kept.map((m) => m.kept), y: kept.map((m) => m.loss), mode: "markers",
      marker: { size: 10, color: AMBER, line: { color: CARD, width: 1.5 } }, name: plain(curve.labels.kept),
      hoverinfo: "skip", legendrank: 1003 });
    return drawn;
  }

  function drawLearning(place, curve, log) {
    const few = curve.members.every((m) => m.epochs.length <= 12), label = curve.labels.epoch;
    Plotly.react(place, learningTraces(curve), layout(
      { title: { text: narrow.matches ? "" : plain(label), standoff: 8, font: { color: FAINT, size: 13 } },
        dtick: few ? 1 : undefined, hoverformat: "d", unifiedhovertitle: { text: plain(label) + " %{x}" } },
      { type: log ? "log" : "linear", tickformat: log ? "~g" : undefined },
      { uirevision: log, title: { text: say("{loss} by {epoch}", { loss: plain(curve.labels.loss), epoch: plain(label) }), x: 0.01, xanchor: "left",
        y: 0.98, yanchor: "top", font: { size: 14 } } }, true
    ), config);
  }

  return {
    say, plain, row, writer, layout, config, numbers, narrow, drawForecast, isWhole, fillNumbers, drawSteps, drawLearning,
    drawComponents, drawScenarios,
    paint: (on) => { printing = on; paint(); },
    colours: () => ({ blue: BLUE, ink: INK, amber: AMBER, faint: FAINT, grid: GRID, card: CARD, others: OTHERS, dashes: DASHES })
  };
}
