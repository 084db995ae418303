// Charts in the page's colours, each with its numbers as a table.
import { byId, el } from "./dom.js";
import { plainTable } from "./table.js";

const drawn = new Map(); // canvas -> how to draw it again
let library = null;

// Chart.js, fetched when the first chart is drawn.
function chartLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = el("script", { src: "/assets/chart.js" });
    script.onload = () => resolve(window.Chart);
    script.onerror = () => reject(new Error("the chart library did not load"));
    document.head.append(script);
  });
  return library;
}

// The colour that a custom property of style.css has in this theme.
function colour(name) {
  const probe = el("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  byId("main").append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

export function faded(value, share) {
  const parts = value.match(/[\d.]+/g);
  return parts ? `rgba(${parts.slice(0, 3).join(", ")}, ${share})` : value;
}

function palette() {
  const names = ["accent", "second", "third", "bad", "ink", "muted", "line", "surface"];
  const colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
  colours.series = [colours.accent, colours.second, colours.third, colours.bad, colours.muted];
  return colours;
}

function axis(colours, { title, ...rest }) {
  return {
    border: { color: colours.line },
    grid: { color: colours.line, drawTicks: false, borderColor: colours.line },
    ...rest,
    ticks: { color: colours.muted, padding: 6, maxRotation: 0, autoSkipPadding: 16, ...rest.ticks },
    title: { display: Boolean(title), text: title, color: colours.muted },
  };
}

function options(colours, { x, y, legend, tooltip, others = {} }) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    scales: { x: axis(colours, x), y: axis(colours, y) },
    plugins: {
      legend: {
        display: Boolean(legend),
        position: "bottom",
        labels: { color: colours.ink, boxWidth: legend === "line" ? 20 : 12, boxHeight: legend === "line" ? 1 : 12 },
      },
      tooltip: { displayColors: Boolean(legend), ...tooltip },
    },
    ...others,
  };
}

function forgetRemoved(Chart) {
  for (const canvas of drawn.keys()) {
    if (canvas.isConnected) continue;
    Chart.getChart(canvas)?.destroy();
    drawn.delete(canvas);
  }
}

async function draw(canvas, make) {
  const Chart = await chartLibrary();
  forgetRemoved(Chart);
  if (!canvas.isConnected) return;
  const colours = palette();
  const { type, data, ...rest } = make(colours);
  Chart.getChart(canvas)?.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  new Chart(canvas, { type, data, options: options(colours, rest) });
}

document.addEventListener("themechange", () => {
  for (const [canvas, make] of drawn) draw(canvas, make);
});

// A <figure>: title, note, chart, and its numbers behind "Numbers". `make(colours)` gives {type, data, x, y, legend,
// tooltip, others}; `numbers` is {labels, rows}. `summary` is read out in the chart's place. The numbers may stand `beside`.
export function chart({ title, note, summary, make, numbers, beside = false }) {
  const canvas = el("canvas", { role: "img", "aria-label": summary ?? title });
  const box = el("div", { class: beside ? "chart-box tall" : "chart-box" }, canvas);
  const figure = el(
    "figure",
    { class: beside ? "card chart beside" : "card chart" },
    el("figcaption", {}, el("h3", {}, title), note ? el("p", { class: "hint" }, note) : null),
    box,
    el("details", { open: beside }, el("summary", {}, "Numbers"), plainTable(title, numbers.labels, numbers.rows)),
  );
  drawn.set(canvas, make);
  // It has its size once it is in the page.
  requestAnimationFrame(() =>
    draw(canvas, make).catch((error) => box.replaceChildren(el("p", { class: "empty" }, `No chart: ${error.message}.`))),
  );
  return figure;
}

// A value without neighbours, through which no line goes.
const isAlone = (values, i) => (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;

// Lines over a shared x: series are {label, values}; null leaves a gap.
export function lines(colours, labels, series, rest = {}) {
  const datasets = series.map(({ label, values, dash }, i) => ({
    label,
    data: values,
    borderColor: colours.series[i % colours.series.length],
    backgroundColor: colours.series[i % colours.series.length],
    borderDash: dash ? [5, 4] : [],
    borderWidth: 2,
    pointRadius: values.map((_, i) => (isAlone(values, i) ? 3 : 0)),
    pointHoverRadius: 4,
    tension: 0,
    spanGaps: false,
  }));
  return { type: "line", data: { labels, datasets }, legend: series.length > 1 ? "line" : false, x: {}, y: {}, ...rest };
}

// A curve of [x, y] points in the unit square, with a dashed line for comparison.
export function unitCurve(colours, points, { x, y, reference }) {
  const datasets = [
    {
      label: "model",
      data: points.map(([a, b]) => ({ x: a, y: b })),
      borderColor: colours.accent,
      backgroundColor: faded(colours.accent, 0.12),
      fill: "origin",
      borderWidth: 2,
      pointRadius: 0,
      showLine: true,
    },
    {
      label: "chance",
      data: reference.map(([a, b]) => ({ x: a, y: b })),
      borderColor: colours.muted,
      borderDash: [5, 4],
      borderWidth: 1,
      pointRadius: 0,
      showLine: true,
    },
  ];
  const square = { type: "linear", min: 0, max: 1 };
  return {
    type: "scatter",
    data: { datasets },
    x: { ...square, title: x },
    y: { ...square, title: y },
    others: { interaction: { mode: "nearest", axis: "x", intersect: false } },
  };
}
