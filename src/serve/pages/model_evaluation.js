// How a version does on test rows: each epitope with its intervals, ROC and precision-recall curves.
import { chart, unitCurve } from "./charts.js";
import { el, svg } from "./dom.js";
import { fixed, whole } from "./format.js";
import { DataTable } from "./table.js";

const kWidth = 72;

// A figure on a line from 0 to 1, its interval as a bar.
function intervalMark({ value, low, high }) {
  const mark = svg("svg", { viewBox: `0 0 ${kWidth} 12`, width: kWidth, height: 12, class: "interval", "aria-hidden": "true" });
  mark.append(svg("line", { x1: 0, y1: 6, x2: kWidth, y2: 6, class: "rule" }));
  if (Number.isFinite(low) && Number.isFinite(high)) {
    const begin = Math.max(0, low) * kWidth;
    mark.append(svg("rect", { x: begin, y: 3.5, width: Math.max(1.5, Math.min(1, high) * kWidth - begin), height: 5, rx: 2.5, class: "reach" }));
  }
  mark.append(svg("circle", { cx: Math.max(0, Math.min(1, value)) * (kWidth - 6) + 3, cy: 6, r: 3, class: "point" }));
  return mark;
}

function intervalCell(found) {
  if (!found || !Number.isFinite(found.value)) return "";
  const has = Number.isFinite(found.low) && Number.isFinite(found.high);
  const reach = has ? el("span", { class: "muted" }, ` ${fixed(found.low, 2)} to ${fixed(found.high, 2)}`) : "";
  return el("span", { class: "with-interval" }, intervalMark(found), el("span", {}, fixed(found.value), reach));
}

// A figure of an epitope, by either of its names.
const figureColumn = (label, key, otherKey = key) => ({
  label,
  number: true,
  value: (row) => (row[key] ?? row[otherKey])?.value ?? null,
  cell: (row) => intervalCell(row[key] ?? row[otherKey]),
});
const binders = (row) => row.binders ?? row.positives ?? null;

export function epitopeTable(epitopes) {
  if (epitopes.length === 0) return el("p", { class: "empty" }, "There are no figures for single epitopes.");
  const place = el("div");
  const table = new DataTable(place, {
    caption: "Each epitope, with 95 % intervals",
    columns: [
      { label: "Epitope", header: true, class: "sequence", value: (row) => row.epitope },
      { label: "In training", value: (row) => (row.seen === undefined ? "" : row.seen ? "yes" : "no") },
      { label: "Binders", number: true, value: binders, cell: (row) => whole(binders(row)) },
      { label: "Rows", number: true, value: (row) => row.rows, cell: (row) => whole(row.rows) },
      figureColumn("Average precision", "average_precision"),
      figureColumn("AUROC", "auroc", "auc"),
      figureColumn("AUROC to 0.1 FPR", "auroc01", "auc01"),
    ],
    page: 25,
  });
  table.setRows(epitopes);
  return place;
}

// About `most` of the points, the ends among them.
function thinned(points, most) {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]);
}

const numbersOf = (labels, points) => ({ labels, rows: thinned(points, 11).map(([x, y]) => [fixed(x), fixed(y)]) });

export function evaluationCharts(evaluation) {
  const charts = [];
  const roc = evaluation?.curves?.roc ?? [];
  const pr = evaluation?.curves?.pr ?? [];
  if (roc.length) {
    const axes = { x: "false positive rate", y: "true positive rate" };
    charts.push(
      chart({
        title: "ROC",
        note: "All test rows together; the dashed line is chance.",
        make: (colours) => unitCurve(colours, roc, { ...axes, reference: [[0, 0], [1, 1]] }),
        numbers: numbersOf(["False positive rate", "True positive rate"], roc),
      }),
    );
  }
  if (pr.length) {
    const report = evaluation.metrics ?? evaluation;
    const counts = report.pooled ?? report;
    const share = (counts.positives ?? counts.binders) / counts.rows;
    const reference = Number.isFinite(share) ? [[0, share], [1, share]] : [];
    charts.push(
      chart({
        title: "Precision and recall",
        note: Number.isFinite(share) ? "All test rows together; the dashed line is the share of binders." : "All test rows together.",
        make: (colours) => unitCurve(colours, pr, { x: "recall", y: "precision", reference }),
        numbers: numbersOf(["Recall", "Precision"], pr),
      }),
    );
  }
  return charts;
}
