// The sections about one version of a model.
import { chip, el, facts } from "./dom.js";
import { brief, fixed, kNothing, short, time, whole, words } from "./format.js";
import { epitopeTable, evaluationCharts } from "./model_evaluation.js";
import { learningCharts } from "./model_learning.js";
import { studySection } from "./model_study.js";
import { plainTable } from "./table.js";

function section(id, title, ...content) {
  return el("section", { class: "card", id, "aria-labelledby": `${id}-title` }, el("h3", { id: `${id}-title` }, title), content);
}

const nothing = (text) => el("p", { class: "empty" }, text);

function overview(detail) {
  const made = detail.facts ?? {};
  const epitopes = Array.isArray(detail.epitopes) ? detail.epitopes.length : (detail.epitopes ?? made.nearest?.epitopes);
  const features = Array.isArray(detail.features) ? detail.features.map(words).join(", ") : detail.features;
  const threshold = detail.threshold ?? made.metrics?.validation?.threshold;
  return section(
    "overview",
    "Overview",
    facts([
      ["Trained", detail.trained ? time(detail.trained) : kNothing],
      ["Registered", time(detail.registered)],
      ["From", detail.source],
      ["Artifact", el("code", { title: detail.artifact }, short(detail.artifact))],
      ["Calls binders from a score of", Number.isFinite(threshold) ? fixed(threshold) : kNothing],
      ["Epitopes in training", Number.isFinite(epitopes) ? whole(epitopes) : null],
      ["TCRs in training", Number.isFinite(made.nearest?.tcrs) ? whole(made.nearest.tcrs) : null],
      ["Weights", Number.isFinite(made.trained_numbers) ? whole(made.trained_numbers) : null],
      ["Probabilities", made.calibration ? `${made.calibration.method}, fitted on ${whole(made.calibration.count)} validation rows` : null],
      ["Reads", features],
    ]),
  );
}

const kHeadline = ["average_precision", "auroc", "auc", "auroc01", "auc01", "precision", "recall", "f1", "recall_at_1", "mcc"];

// A figure as {value, low, high}; null when it is not there.
function figure(part, name) {
  const found = part?.[name];
  if (found === null || found === undefined) return null;
  const whole_ = typeof found === "object" ? found : { value: found };
  return Number.isFinite(whole_.value) ? whole_ : null;
}

// Means over epitopes where there are any, else figures of all rows.
const headline = (report) => report.macro ?? report.pooled ?? report;

function tiles(report) {
  const found = kHeadline.map((name) => [name, figure(headline(report), name)]).filter(([, each]) => each !== null);
  const made = found.slice(0, 6).map(([name, { value, low, high }]) =>
    el(
      "div",
      { class: "tile" },
      el("p", { class: "tile-name" }, words(name)),
      el("p", { class: "tile-value" }, fixed(value)),
      Number.isFinite(low) ? el("p", { class: "hint" }, `95 %: ${fixed(low)} to ${fixed(high)}`) : null,
    ),
  );
  return el("div", { class: "tiles" }, made);
}

function baselineTable(report, baselines) {
  const names = ["average_precision", "auroc", "auroc01"];
  const cells = (each) => names.map((name) => fixed(figure(headline(each), name)?.value));
  const rows = [["this model", ...cells(report)], ...Object.entries(baselines ?? {}).map(([name, each]) => [words(name), ...cells(each)])];
  if (rows.length === 1) return null;
  return [el("h4", {}, "Beside baselines"), plainTable("This model beside baselines", ["Predictor", ...names.map(words)], rows)];
}

function evaluationSection(evaluation) {
  if (!evaluation) return section("evaluation", "On test rows", nothing("This version has not been evaluated. `tcrops evaluate` does it."));
  const report = evaluation.metrics ?? evaluation;
  const counts = report.pooled ?? report;
  const positives = counts.positives ?? counts.binders;
  const told = [
    Number.isFinite(counts.rows) ? `${whole(counts.rows)} rows, ${whole(positives)} of them binders` : null,
    report.macro ? "figures are means over epitopes" : null,
    evaluation.scored_as && evaluation.scored_as !== "test" ? evaluation.scored_as : null,
  ];
  return section(
    "evaluation",
    "On test rows",
    el("p", { class: "hint" }, told.filter(Boolean).join("; ")),
    (evaluation.caveats ?? []).map((text) => el("p", { class: "note warn" }, text)),
    tiles(report),
    epitopeTable(evaluation.epitopes ?? []),
    baselineTable(report, evaluation.baselines),
  );
}

function valueText(value) {
  if (Array.isArray(value)) return value.length ? value.map(valueText).join(", ") : "none";
  if (value === null || value === "") return kNothing;
  if (typeof value === "object") return Object.entries(value).map(([key, each]) => `${words(key)} ${valueText(each)}`).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return brief(value);
}

const isGroup = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// {section: {key: value}}: what stands outside any section is about training; what the model was made with counts more
// than what was asked for.
function parameterGroups({ parameters, configuration }) {
  const groups = {};
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (isGroup(value)) groups[name] = value;
    else (groups.train ??= {})[name] = value;
  }
  for (const [name, values] of Object.entries(configuration ?? {})) {
    if (isGroup(values)) groups[name] = { ...values, ...groups[name] };
  }
  return Object.entries(groups);
}

function parameterSection(detail) {
  const groups = parameterGroups(detail);
  if (groups.length === 0) return section("parameters", "Parameters", nothing("None are recorded."));
  const shown = groups.map(([name, values]) => {
    const pairs = Object.entries(values).map(([key, value]) => [words(key), valueText(value)]);
    return el(
      "details",
      { class: "group", open: name === "train" || groups.length === 1 },
      el("summary", {}, words(name), el("span", { class: "hint" }, ` ${pairs.length}`)),
      facts(pairs),
    );
  });
  return section("parameters", "Parameters", shown);
}

function lineageSection(lineage) {
  if (!lineage?.length) return section("lineage", "Lineage", nothing("None is recorded."));
  const steps = lineage.map((step) => {
    const parents = Object.entries(step.parents ?? {}).map(([role, id]) => `${words(role)} ${short(id)}`);
    return el(
      "li",
      {},
      el("span", { class: "kind" }, step.kind),
      el("code", { title: step.artifact }, short(step.artifact)),
      el("span", { class: "muted" }, step.stage ? `made by ${step.stage} ` : "", step.made ? time(step.made) : ""),
      step.problem ? chip(step.problem, "bad") : null,
      parents.length ? el("span", { class: "muted from" }, `from ${parents.join(", ")}`) : null,
    );
  });
  return section("lineage", "Lineage", el("p", { class: "hint" }, "From this model back to the raw data."), el("ol", { class: "lineage" }, steps));
}

function logSection(log) {
  if (!log?.length) return section("log", "Moves", nothing("It was not moved yet."));
  const rows = [...log].reverse().map((entry) => [
    time(entry.time),
    [words(entry.action ?? entry.event), entry.version ? `version ${entry.version}` : "", entry.alias ? `(${entry.alias})` : ""].filter(Boolean).join(" "),
    entry.who ?? entry.by ?? kNothing,
    entry.reason || kNothing,
  ]);
  return section("log", "Moves", plainTable("Moves of this model, the newest first", ["When", "What", "Who", "Why"], rows, { numbers: false }));
}

function curveSection(detail) {
  const charts = [...learningCharts(detail.history ?? []), ...evaluationCharts(detail.evaluation)];
  if (charts.length === 0) return section("curves", "Curves", nothing("There is nothing to draw: no history and no evaluation."));
  return el("section", { id: "curves", "aria-labelledby": "curves-title" }, el("h3", { id: "curves-title" }, "Curves"), el("div", { class: "charts" }, charts));
}

export function detailSections(detail) {
  const sections = [
    overview(detail),
    evaluationSection(detail.evaluation),
    curveSection(detail),
    parameterSection(detail),
    studySection(detail.study),
    lineageSection(detail.lineage),
    logSection(detail.log),
  ];
  const links = sections.map((each) => el("li", {}, el("a", { href: `#${each.id}` }, each.querySelector("h3").textContent)));
  return [el("nav", { class: "jump", "aria-label": "Parts of this version" }, el("ul", {}, links)), ...sections];
}

