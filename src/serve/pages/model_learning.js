// How the training of a version went, epoch by epoch.
import { chart, lines } from "./charts.js";
import { brief, words } from "./format.js";

// An ensemble has an entry per member: that of the first, which stands for the others.
const isEnsemble = (history) => Array.isArray(history[0]?.epochs);

function curve(title, epochs, names, note) {
  const labels = epochs.map((each, i) => each.epoch ?? i + 1);
  const series = names.map((name) => ({ label: words(name), values: epochs.map((each) => each[name] ?? null) }));
  return chart({
    title,
    note,
    make: (colours) => lines(colours, labels, series, { x: { title: "epoch" } }),
    numbers: { labels: ["Epoch", ...names.map(words)], rows: epochs.map((each, i) => [String(labels[i]), ...names.map((name) => brief(each[name] ?? null))]) },
  });
}

export function learningCharts(history) {
  const epochs = (isEnsemble(history) ? history[0].epochs : history).filter((each) => each !== null && typeof each === "object");
  if (epochs.length === 0) return [];
  const names = Object.keys(epochs[0]).filter((name) => name !== "epoch" && epochs.some((each) => Number.isFinite(each[name])));
  const losses = names.filter((name) => name.includes("loss"));
  const figures = names.filter((name) => !name.includes("loss") && name.startsWith("validation"));
  const note = isEnsemble(history) ? "The first member of the ensemble." : "";
  const charts = [];
  if (losses.length) charts.push(curve("Loss", epochs, losses, note));
  if (figures.length) charts.push(curve("On validation rows", epochs, figures, note));
  return charts;
}
