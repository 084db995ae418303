// The page that shows how the server is used and how it does.
import { get, path } from "./api.js";
import { chart, faded, lines } from "./charts.js";
import { byId, el, onSubmit, say, show, showProblem } from "./dom.js";
import { counted, duration, kNothing, percent, timeText, whole } from "./format.js";
import { kNoLog, registry, setUpPage, showLogProblem, showServed } from "./page.js";

const kRenewSeconds = 15;
const kBins = Array.from({ length: 10 }, (_, i) => `${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}`);
const kNumbersAtMost = 100; // buckets in a table of numbers, the last ones

let timer = null;

function tile(name, value, note = "") {
  return el("div", { class: "tile" }, el("p", { class: "tile-name" }, name), el("p", { class: "tile-value" }, value), note ? el("p", { class: "hint" }, note) : null);
}

// Latency of a whole time: the largest of a bucket is what a user may have met.
const worst = (buckets, key) => buckets.reduce((most, bucket) => Math.max(most, bucket[key] ?? -Infinity), -Infinity);

function showTotals({ totals, buckets }) {
  const share = (part, whole_) => (whole_ ? percent(part / whole_) : kNothing);
  const slowest = worst(buckets, "p99_seconds");
  byId("totals").replaceChildren(
    tile("Requests", whole(totals.requests)),
    tile("Rows", whole(totals.rows), totals.rejected ? `${whole(totals.rejected)} without a score` : "all scored"),
    tile("Errors", share(totals.errors, totals.requests), counted(totals.errors, "request")),
    tile("99th percentile at worst", Number.isFinite(slowest) ? duration(slowest) : kNothing),
    tile("Epitope not in training", share(totals.unseen, totals.rows - totals.rejected), counted(totals.unseen, "row")),
    tile("TCR unlike training", share(totals.far, totals.rows - totals.rejected), counted(totals.far, "row")),
  );
}

function axisLabel(bucket, seconds) {
  const at = new Date(bucket.time * 1000);
  const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return seconds >= 86_400 ? day : seconds >= 3_600 ? `${day} ${clock}` : clock;
}

const numbers = (labels, buckets, cells) => ({
  labels: ["Time", ...labels],
  rows: buckets.slice(-kNumbersAtMost).map((bucket) => [timeText(bucket.time), ...cells(bucket)]),
});

const count = { beginAtZero: true, ticks: { precision: 0 } };

function bars(colours, labels, datasets, rest) {
  return {
    type: "bar",
    data: { labels, datasets: datasets.map((each) => ({ barPercentage: 1, categoryPercentage: 0.9, ...each })) },
    x: { stacked: true, grid: { display: false } },
    y: { stacked: true, ...count },
    legend: datasets.length > 1,
    others: { interaction: { mode: "index", intersect: false } },
    ...rest,
  };
}

function volumeChart(buckets, labels) {
  return chart({
    title: "Requests",
    make: (colours) =>
      bars(colours, labels, [
        { label: "answered", data: buckets.map((b) => b.requests - b.errors), backgroundColor: colours.accent },
        { label: "errors", data: buckets.map((b) => b.errors), backgroundColor: colours.bad },
      ]),
    numbers: numbers(["Requests", "Errors", "Rows"], buckets, (b) => [whole(b.requests), whole(b.errors), whole(b.rows)]),
  });
}

function latencyChart(buckets, labels) {
  const inMs = (value) => (Number.isFinite(value) ? value * 1000 : null);
  return chart({
    title: "Time to answer",
    note: "Median and 99th percentile, in milliseconds.",
    make: (colours) =>
      lines(
        colours,
        labels,
        [
          { label: "median", values: buckets.map((b) => inMs(b.p50_seconds)) },
          { label: "99th percentile", values: buckets.map((b) => inMs(b.p99_seconds)), dash: true },
        ],
        { y: { beginAtZero: true } },
      ),
    numbers: numbers(["Median", "99th percentile"], buckets, (b) => [duration(b.p50_seconds), duration(b.p99_seconds)]),
  });
}

function scoreChart(buckets, labels) {
  const sums = buckets.map((b) => b.scores.reduce((sum, n) => sum + n, 0));
  const share = (b, bin, i) => (sums[i] ? b.scores[bin] / sums[i] : null);
  return chart({
    title: "Scores over time",
    note: "Share of the scores in each tenth; the stronger the colour, the higher the score.",
    make: (colours) =>
      bars(
        colours,
        labels,
        kBins.map((label, bin) => ({
          label,
          data: buckets.map((b, i) => share(b, bin, i)),
          backgroundColor: faded(colours.accent, 0.1 + 0.1 * bin),
        })),
        {
          legend: false,
          y: { stacked: true, min: 0, max: 1, ticks: { callback: (value) => percent(value, 0) } },
          tooltip: { callbacks: { label: (point) => `${point.dataset.label}: ${percent(point.parsed.y, 0)}` } },
        },
      ),
    numbers: numbers(kBins, buckets, (b) => b.scores.map(whole)),
  });
}

function totalScoreChart({ totals, buckets }) {
  const scores = totals.scores ?? kBins.map((_, bin) => buckets.reduce((sum, b) => sum + b.scores[bin], 0));
  return chart({
    title: "Scores",
    note: "How many rows have a score in each tenth.",
    make: (colours) => bars(colours, kBins, [{ label: "rows", data: scores, backgroundColor: colours.accent }]),
    numbers: { labels: ["Score", "Rows"], rows: kBins.map((bin, i) => [bin, whole(scores[i])]) },
  });
}

function remarkChart(buckets, labels) {
  return chart({
    title: "Rows unlike training, and rows without a score",
    make: (colours) =>
      lines(
        colours,
        labels,
        [
          { label: "epitope not in training", values: buckets.map((b) => b.unseen) },
          { label: "TCR unlike training", values: buckets.map((b) => b.far) },
          { label: "without a score", values: buckets.map((b) => b.rejected), dash: true },
        ],
        { y: count },
      ),
    numbers: numbers(["Epitope not in training", "TCR unlike training", "Without a score"], buckets, (b) => [whole(b.unseen), whole(b.far), whole(b.rejected)]),
  });
}

function showCharts(answer) {
  const { buckets, totals, bucket_seconds: seconds } = answer;
  const place = byId("charts");
  if (!answer.logging) {
    place.replaceChildren(el("p", { class: "empty card" }, kNoLog));
    return;
  }
  if (!totals.requests) {
    place.replaceChildren(el("p", { class: "empty card" }, "Nothing was asked in this time. Score some pairs on the page Predict, or choose a longer time."));
    return;
  }
  const labels = buckets.map((bucket) => axisLabel(bucket, seconds));
  const open = [...place.querySelectorAll("details")].map((each) => each.open);
  place.replaceChildren(
    volumeChart(buckets, labels),
    latencyChart(buckets, labels),
    scoreChart(buckets, labels),
    totalScoreChart(answer),
    remarkChart(buckets, labels),
  );
  place.querySelectorAll("details").forEach((each, i) => (each.open = open[i] ?? false));
}

async function load() {
  let isLogged = false;
  try {
    const answer = await get(path(["v1", "monitor"], { hours: byId("hours").value }));
    isLogged = answer.logging !== null;
    showProblem(null);
    showLogProblem(answer.logging);
    showTotals(answer);
    showCharts(answer);
    byId("span").textContent = `${timeText(answer.from)} to ${timeText(answer.to)}, in steps of ${counted(Math.round(answer.bucket_seconds / 60), "minute")}`;
    const told = `${counted(answer.totals.requests, "request")}, ${counted(answer.totals.errors, "error")}.`;
    say(byId("status"), isLogged ? told : kNoLog);
  } catch (error) {
    byId("charts").replaceChildren();
    show(byId("totals"), false);
    showProblem(error);
    return;
  }
  show(byId("totals"), isLogged);
}

function keepRenewing() {
  clearInterval(timer);
  if (byId("live").checked) timer = setInterval(() => document.hidden || load(), kRenewSeconds * 1000);
}

onSubmit(byId("range"), load);
byId("hours").addEventListener("change", load);
byId("live").addEventListener("change", keepRenewing);
await setUpPage();
registry().then(
  (all) => showServed(all.serving),
  () => {},
);
await load();
