// Two models on the same rows.
import { chart, faded } from "./charts.js";
import { fixed, percent, whole } from "./format.js";
import { modelName, shortName } from "./page.js";

const kPoints = 5000; // more are a blot

// Pearson's correlation; NaN when one of them does not vary.
export function correlation(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  let [both, ofX, ofY] = [0, 0, 0];
  for (let i = 0; i < xs.length; ++i) {
    both += (xs[i] - x) * (ys[i] - y);
    ofX += (xs[i] - x) ** 2;
    ofY += (ys[i] - y) ** 2;
  }
  return both / Math.sqrt(ofX * ofY);
}

function told(pairs, agree) {
  const r = correlation(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
  const together = Number.isFinite(r) ? `, and their scores correlate with r = ${fixed(r, 2)}` : "";
  return `They agree on ${whole(agree)} of ${whole(pairs.length)} calls (${percent(agree / pairs.length, 0)})${together}.`;
}

// The content of a <figure>.
export function comparison(rows, [model, other]) {
  const both = rows.filter((row) => Number.isFinite(row.score) && Number.isFinite(row.other?.score));
  const pairs = both.map((row) => [row.score, row.other.score]);
  const agree = both.filter((row) => row.call === row.other.call).length;
  const called = (a, b) => both.filter((row) => (row.call === true) === a && (row.other.call === true) === b).length;
  const title = `${modelName(model)} and ${modelName(other)}`;
  const note = pairs.length ? told(pairs, agree) : "No row has a score from both.";
  const square = { type: "linear", min: 0, max: 1 };
  return chart({
    title,
    note,
    summary: `Scores of ${title} against each other. ${note}`,
    beside: true,
    make: (colours) => ({
      type: "scatter",
      data: {
        datasets: [
          {
            data: pairs.slice(0, kPoints).map(([x, y]) => ({ x, y })),
            backgroundColor: faded(colours.accent, pairs.length > 500 ? 0.35 : 0.7),
            borderColor: colours.accent,
            pointRadius: pairs.length > 500 ? 2 : 4,
          },
          {
            data: [{ x: 0, y: 0 }, { x: 1, y: 1 }],
            showLine: true,
            borderColor: colours.muted,
            borderDash: [5, 4],
            borderWidth: 1,
            pointRadius: 0,
          },
        ],
      },
      x: { ...square, title: modelName(model) },
      y: { ...square, title: modelName(other) },
      tooltip: { callbacks: { label: (point) => `${fixed(point.parsed.x)} and ${fixed(point.parsed.y)}` } },
      others: { interaction: { mode: "nearest", intersect: true } },
    }),
    numbers: {
      labels: ["Calls", `${shortName(other)}: binder`, `${shortName(other)}: no`],
      rows: [
        [`${shortName(model)}: binder`, whole(called(true, true)), whole(called(true, false))],
        [`${shortName(model)}: no`, whole(called(false, true)), whole(called(false, false))],
      ],
    },
  });
}
