// The page that scores pairs.
import { download, get, path, send } from "./api.js";
import { byId, onSubmit, say, show, showProblem } from "./dom.js";
import { counted, fixed, words } from "./format.js";
import { fillReferences, references, registry, setUpPage, showServed } from "./page.js";
import { PairsInput } from "./pairs_input.js";
import { Results } from "./results.js";

let models = [];
let serving = null;
let examples = { seed: 0, text: null, rows: [] };
let running = null; // stops what is under way

const input = new PairsInput(
  () => {
    byId("clear").disabled = input.isEmpty();
    showProblem(null);
  },
  (error) => showProblem(error),
);
const results = new Results({ onDownload: saveTable });

function versionOf(reference) {
  return references(models).find((each) => each.reference === reference)?.version ?? null;
}

function describeModel() {
  const chosen = versionOf(byId("model").value);
  const isServing = chosen ? chosen.serving : true;
  const parts = [];
  if (isServing && serving) {
    if (Number.isFinite(serving.threshold)) parts.push(`calls binders from ${fixed(serving.threshold)} on`);
    const epitopes = Array.isArray(serving.epitopes) ? serving.epitopes.length : serving.epitopes;
    if (epitopes > 0) parts.push(`${counted(epitopes, "epitope")} in training`);
    if (Array.isArray(serving.features)) parts.push(`reads ${serving.features.map(words).join(", ")}`);
  } else if (chosen?.source) {
    parts.push(chosen.source);
  }
  const text = parts.join("; ");
  byId("model-facts").textContent = text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}.` : "";
}

function fillModels(chosen) {
  const isListed = references(models).some((each) => each.version.serving);
  const none = isListed ? null : serving ? `${serving.name}, serving` : "the model that answers";
  const now = references(models).find((each) => each.version.serving)?.reference ?? "";
  fillReferences(byId("model"), models, none, chosen ?? now);
  fillReferences(byId("other"), models, "nothing", "");
  describeModel();
}

const parameters = (model) => ({
  model,
  format: byId("format").value,
  epitope: byId("epitope").value.trim(),
  mhc: byId("mhc").value.trim(),
});

async function predict(sent, given, accept, signal) {
  return send(path(["v1", "predict"], given), {
    method: "POST",
    headers: { "Content-Type": sent.type, Accept: accept },
    body: sent.body,
    signal,
  });
}

function setBusy(busy) {
  const button = byId("score");
  button.setAttribute("aria-busy", String(busy));
  button.textContent = busy ? "Scoring… (stop)" : "Score pairs";
}

async function score() {
  if (running) {
    running.abort();
    return;
  }
  showProblem(null);
  if (input.isEmpty()) {
    showProblem(new Error("there are no pairs yet: paste a table, choose a file or load examples"));
    byId("pairs").focus();
    return;
  }
  running = new AbortController();
  setBusy(true);
  say(byId("status"), "Scoring.");
  const sent = input.body();
  const name = input.name;
  const chosen = [byId("model").value, byId("other").value].filter((each, i) => i === 0 || each !== "");
  try {
    const asked = chosen.map((model) => parameters(model));
    const answers = await Promise.all(
      asked.map(async (given) => (await predict(sent, { ...given, echo: 1 }, "application/json", running.signal)).json()),
    );
    const known = examples.text !== null && input.text() === examples.text ? examples.rows : null;
    results.show({ sent, name, asked, answers, known });
  } catch (error) {
    if (error.name === "AbortError") {
      say(byId("status"), "Stopped.");
    } else {
      showProblem(error);
      say(byId("status"), "");
    }
  } finally {
    running = null;
    setBusy(false);
  }
}

// The server's own table, with the answers behind the columns that were sent.
async function saveTable({ sent, name, given, model }) {
  const response = await predict(sent, given, "text/csv");
  const stem = (name || "pairs").replace(/(\.(csv|tsv|txt|json|gz))+$/i, "");
  const version = /^\d+$/.test(String(model.version ?? "")) ? `-v${model.version}` : "";
  download(`${stem}-${model.name}${version}.csv`, await response.text(), "text/csv");
}

async function loadExamples() {
  const button = byId("examples");
  button.disabled = true;
  showProblem(null);
  try {
    const seed = examples.seed + 1;
    const got = await get(path(["v1", "examples"], { model: byId("model").value, count: 10, seed }));
    input.set(got.csv, "examples of the test set");
    examples = { seed, text: input.text(), rows: got.rows };
    say(byId("status"), `${got.rows.length} examples loaded.`);
  } catch (error) {
    showProblem(error);
  } finally {
    button.disabled = false;
  }
}

async function start() {
  byId("clear").disabled = input.isEmpty();
  const mine = await setUpPage();
  try {
    const all = await registry();
    ({ models, serving } = all);
    showServed(serving);
    fillModels(new URLSearchParams(location.search).get("model"));
  } catch (error) {
    // A token that may only have rows scored does not see the models, and need not.
    if (error.status !== 403) showProblem(error);
    fillModels(null);
  }
  if (mine.roles.length && !mine.roles.includes("predict")) {
    byId("score").disabled = byId("examples").disabled = true;
    showProblem(new Error("your token may look, but not score pairs"));
  }
}

onSubmit(byId("ask"), score);
byId("pairs").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    score();
  }
});
byId("examples").addEventListener("click", loadExamples);
byId("model").addEventListener("change", describeModel);
show(byId("results"), false);
start();
