// The search that chose a version's parameters.
import { chart } from "./charts.js";
import { el } from "./dom.js";
import { brief, fixed, percent, short, whole, words } from "./format.js";
import { DataTable } from "./table.js";

const isDone = (trial) => Number.isFinite(trial.value);

function trialChart(trials) {
  const done = trials.filter(isDone);
  let best = -Infinity;
  const bests = done.map((trial) => (best = Math.max(best, trial.value)));
  return chart({
    title: "Trials",
    note: "Each point is a trial; the line is the best so far.",
    make: (colours) => ({
      type: "scatter",
      data: {
        datasets: [
          { label: "trial", data: done.map((trial) => ({ x: trial.number, y: trial.value })), backgroundColor: colours.accent, pointRadius: 4 },
          {
            label: "best so far",
            data: done.map((trial, i) => ({ x: trial.number, y: bests[i] })),
            showLine: true,
            stepped: true,
            borderColor: colours.second,
            borderWidth: 2,
            pointRadius: 0,
          },
        ],
      },
      legend: true,
      x: { type: "linear", title: "trial", ticks: { precision: 0 } },
      y: { title: "value" },
    }),
    numbers: { labels: ["Trial", "Value", "Best so far"], rows: done.map((trial, i) => [String(trial.number), fixed(trial.value, 4), fixed(bests[i], 4)]) },
  });
}

function importanceChart(importance) {
  const sorted = Object.entries(importance)
    .filter(([, share]) => Number.isFinite(share))
    .sort(([, a], [, b]) => b - a);
  return chart({
    title: "What mattered",
    note: "Share of the differences between trials that each parameter explains.",
    make: (colours) => ({
      type: "bar",
      data: { labels: sorted.map(([name]) => words(name)), datasets: [{ data: sorted.map(([, share]) => share), backgroundColor: colours.accent, maxBarThickness: 22 }] },
      x: { min: 0, ticks: { callback: (value) => percent(value, 0) } },
      y: { grid: { display: false } },
      tooltip: { callbacks: { label: (point) => percent(point.parsed.x) } },
      others: { indexAxis: "y", interaction: { mode: "nearest", axis: "y", intersect: false } },
    }),
    numbers: { labels: ["Parameter", "Share"], rows: sorted.map(([name, share]) => [words(name), percent(share)]) },
  });
}

function trialTable(trials) {
  const names = [...new Set(trials.flatMap((trial) => Object.keys(trial.parameters ?? {})))];
  const parameter = (name) => ({
    label: words(name),
    number: trials.some((trial) => typeof trial.parameters?.[name] === "number"),
    value: (row) => row.parameters?.[name] ?? "",
    cell: (row) => (row.parameters?.[name] === undefined ? "" : brief(row.parameters[name])),
  });
  const place = el("div");
  const table = new DataTable(place, {
    caption: "Trials of the study",
    columns: [
      { label: "Trial", header: true, number: true, value: (row) => row.number },
      { label: "Value", number: true, value: (row) => row.value, cell: (row) => fixed(row.value, 4) },
      { label: "State", value: (row) => words(row.state ?? "") },
      ...names.map(parameter),
    ],
    page: 20,
  });
  table.setRows(trials);
  return place;
}

export function studySection(study) {
  const title = el("h3", { id: "study-title" }, "Study");
  const section = (...content) => el("section", { id: "study", class: "card", "aria-labelledby": "study-title" }, title, content);
  if (!study) return section(el("p", { class: "empty" }, "No search for its parameters is recorded."));
  const trials = study.trials ?? [];
  const done = trials.filter(isDone).length;
  const told = [`${whole(trials.length)} trials, ${whole(done)} of them with a value`, `study ${short(study.artifact)}`];
  if (typeof study.objective === "string") told.push(`for ${words(study.objective)}`);
  const charts = [];
  if (done) charts.push(trialChart(trials));
  if (Object.values(study.importance ?? {}).some(Number.isFinite)) charts.push(importanceChart(study.importance));
  return section(
    el("p", { class: "hint" }, told.join("; ")),
    el("div", { class: "charts inner" }, charts),
    trials.length ? trialTable(trials) : null,
  );
}
