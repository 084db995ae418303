// What came back: a sentence, the rows that have no score, and a table of the others.
import { comparison } from "./compare.js";
import { byId, chip, el, say, show, showProblem } from "./dom.js";
import { counted, fixed, whole, words } from "./format.js";
import { modelName, shortName } from "./page.js";
import { DataTable } from "./table.js";

const kErrorsAtOnce = 10;
const kPair = [
  ["CDR3_alpha", "CDR3 alpha"],
  ["CDR3_beta", "CDR3 beta"],
  ["Epitope", "Epitope"],
  ["MHC", "MHC"],
  ["V_alpha", "V alpha"],
  ["J_alpha", "J alpha"],
  ["V_beta", "V beta"],
  ["J_beta", "J beta"],
];
const kSequences = new Set(["CDR3_alpha", "CDR3_beta", "Epitope"]);

const isScored = (row) => row.problem === null && Number.isFinite(row.score);

// "Error in line 3: …", as every row without a score is told of.
export function problemText(row) {
  return /^error in line /i.test(row.problem) ? row.problem : `Error in line ${row.line}: ${row.problem}`;
}

function scoreBar(score, threshold) {
  if (!Number.isFinite(score)) return "";
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span", { class: "fill" }));
  bar.firstChild.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
  if (Number.isFinite(threshold)) {
    const mark = el("span", { class: "mark" });
    mark.style.left = `${threshold * 100}%`;
    bar.append(mark);
  }
  return el("span", { class: "scored" }, bar, el("span", { class: "value" }, fixed(score)));
}

function callCell(row) {
  if (!isScored(row)) return chip("no score", "bad");
  return row.call ? chip("binder", "good") : el("span", { class: "muted" }, "no");
}

const remark = (row) => (row.problem === null ? (row.flags ?? []).map(words).join("; ") : problemText(row));

function numberColumn(label, key, digits, title) {
  return { label, number: true, title, value: (row) => row[key] ?? null, cell: (row) => fixed(row[key], digits) };
}

// Columns that this answer has something for.
function columnsOf(rows, models, known) {
  const has = (key) => rows.some((row) => row[key] !== null && row[key] !== undefined);
  const [model, other] = models;
  const columns = [
    { label: "Line", number: true, header: true, value: (row) => row.line },
    {
      label: other ? `Score, ${shortName(model)}` : "Score",
      number: true,
      class: "score",
      value: (row) => row.score,
      cell: (row) => scoreBar(row.score, model.threshold),
    },
  ];
  if (other) {
    columns.push(
      {
        label: `Score, ${shortName(other)}`,
        number: true,
        class: "score",
        value: (row) => row.other.score,
        cell: (row) => scoreBar(row.other.score, other.threshold),
      },
      {
        label: "Difference",
        number: true,
        value: (row) => (isScored(row) && isScored(row.other) ? row.other.score - row.score : null),
        cell: (row) => (isScored(row) && isScored(row.other) ? signed(row.other.score - row.score) : ""),
      },
    );
  }
  columns.push({ label: "Call", value: (row) => (isScored(row) ? (row.call ? "binder" : "no") : "no score"), cell: callCell });
  if (other) columns.push({ label: "Other call", value: (row) => (row.other.call ? "binder" : "no"), cell: (row) => callCell(row.other) });
  if (known) columns.push({ label: "Measured", value: (row) => row.known ?? "", cell: (row) => row.known ?? "" });
  if (has("probability")) columns.push(numberColumn("Probability", "probability", 3, "The score after calibration"));
  if (has("percentile")) columns.push(numberColumn("Percentile", "percentile", 1, "Share of background TCRs that score as high"));
  if (has("spread")) columns.push(numberColumn("Spread", "spread", 2, "Standard deviation of the members of the ensemble"));
  for (const [key, label] of kPair) {
    if (!rows.some((row) => row.record?.[key])) continue;
    columns.push({ label, class: kSequences.has(key) ? "sequence" : "gene", value: (row) => row.record?.[key] ?? "" });
  }
  if (has("nearest_tcr")) columns.push(numberColumn("Nearest TCR", "nearest_tcr", 2, "Similarity to the nearest training TCR"));
  columns.push({ label: "Remarks", class: "remarks", value: remark, cell: (row) => el("span", { class: "remark" }, remark(row)) });
  return columns;
}

const signed = (value) => (value < 0 ? `−${fixed(-value)}` : `+${fixed(value)}`);

const kShow = {
  "": () => true,
  binders: (row) => isScored(row) && row.call === true,
  others: (row) => isScored(row) && row.call !== true,
  remarks: (row) => isScored(row) && (row.flags ?? []).length > 0,
  problems: (row) => !isScored(row),
  differ: (row) => row.other !== undefined && (row.other.call ?? null) !== (row.call ?? null),
};

export class Results {
  constructor({ onDownload }) {
    this.onDownload = onDownload;
    byId("filter").addEventListener("input", () => this.filter());
    byId("shown").addEventListener("change", () => this.filter());
    byId("error-more").addEventListener("click", () => this.listErrors(Infinity));
  }

  // `answers` are of one table by one or two models; `asked` the parameters of each; `known` the labels of examples.
  show({ sent, name, asked, answers, known }) {
    const [first, second] = answers;
    this.rows = first.rows.map((row, i) => ({
      ...row,
      other: second?.rows[i],
      known: known?.[i] ? labelOf(known[i].binder) : null,
    }));
    this.models = answers.map((answer) => answer.model);
    show(byId("results"));
    this.listErrors(kErrorsAtOnce);
    this.tellSummary(first);
    this.offerDownloads({ sent, name, asked, answers });
    show(byId("differ"), Boolean(second));
    byId("filter").value = byId("shown").value = "";
    this.table = new DataTable(byId("table"), {
      caption: "Scored pairs",
      columns: columnsOf(this.rows, this.models, Boolean(known)),
      empty: "No row fits the filter.",
      rowClass: (row) => (isScored(row) ? (row.call ? "is-binder" : "") : "is-problem"),
      status: byId("status"),
    });
    this.table.setRows(this.rows);
    const figure = byId("comparison");
    show(figure, Boolean(second));
    figure.replaceChildren();
    if (second) figure.append(comparison(this.rows, this.models));
    byId("results-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
  }

  tellSummary(answer) {
    const scored = this.rows.filter(isScored);
    const binders = scored.filter((row) => row.call === true).length;
    const flagged = scored.filter((row) => (row.flags ?? []).length > 0).length;
    const lost = this.rows.length - scored.length;
    const threshold = Number.isFinite(answer.model.threshold) ? ` (score from ${fixed(answer.model.threshold)} on)` : "";
    const parts = [`${counted(this.rows.length, "row")}: ${whole(scored.length)} scored`];
    parts.push(`${whole(binders)} called ${binders === 1 ? "a binder" : "binders"}${threshold}`);
    if (flagged) parts.push(`${whole(flagged)} unlike training`);
    if (lost) parts.push(`${whole(lost)} without a score`);
    const sentence = `${parts.join(", ")}. ${modelName(answer.model)}, format ${answer.format}.`;
    byId("summary").textContent = sentence;
    say(byId("status"), sentence);
  }

  listErrors(most) {
    const bad = this.rows.filter((row) => row.problem !== null);
    show(byId("errors"), bad.length > 0);
    byId("errors-title").textContent = `${counted(bad.length, "row has", "rows have")} no score`;
    byId("error-lines").replaceChildren(...bad.slice(0, most).map((row) => el("li", {}, problemText(row))));
    const more = byId("error-more");
    show(more, bad.length > most);
    more.textContent = `Show all ${whole(bad.length)}`;
  }

  offerDownloads({ sent, name, asked, answers }) {
    const buttons = answers.map((answer, i) => {
      const button = el("button", { type: "button" }, i === 0 && answers.length === 1 ? "Download CSV" : `CSV of ${modelName(answer.model)}`);
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          await this.onDownload({ sent, name, given: asked[i], model: answer.model });
        } catch (error) {
          showProblem(error);
        } finally {
          button.disabled = false;
        }
      });
      return button;
    });
    byId("downloads").replaceChildren(...buttons);
  }

  filter() {
    const text = byId("filter").value.trim().toLowerCase();
    const fits = kShow[byId("shown").value];
    this.table.setFilter((row) => fits(row) && (text === "" || searched(row).includes(text)));
    say(byId("status"), `${counted(this.table.shown.length, "row")} shown.`);
  }
}

const labelOf = (binder) => (binder === true ? "binder" : binder === false ? "no" : null);

function searched(row) {
  row.searched ??= [row.line, ...Object.values(row.record ?? {}), remark(row)].join(" ").toLowerCase();
  return row.searched;
}
