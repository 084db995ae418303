// The page of registered models: all versions, and everything about one of them.
import { get, path, post } from "./api.js";
import { byId, chip, el, facts, onSubmit, say, show, showProblem } from "./dom.js";
import { fixed, short, time, whole } from "./format.js";
import { detailSections } from "./model_detail.js";
import { modelName, references, registry, setUpPage, showServed } from "./page.js";
import { DataTable } from "./table.js";

let mayPromote = false;
let all = { serving: null, models: [] };
let chosen = ""; // "viral@v3"
let table = null; // of the versions
let move = null; // what the dialog is about

function aliasChips(version) {
  const chips = version.aliases.map((alias) => chip(alias, alias === "champion" ? "good" : ""));
  if (version.serving) chips.push(chip("serving", "accent"));
  return el("span", { class: "chips" }, chips);
}

// What the shadow model makes of the same rows.
function shadowText(shadow) {
  const { compared = 0, other_calls: calls = 0, mean_absolute_difference: apart = 0 } = shadow.report ?? {};
  const name = modelName(shadow);
  if (!compared) return `${name}, no row yet`;
  return `${name}: ${whole(calls)} of ${whole(compared)} calls differ, scores by ${fixed(apart)} on average`;
}

function showServing(serving, shadow) {
  const place = byId("serving");
  show(place, Boolean(serving));
  showServed(serving);
  if (!serving) return;
  const golden = { bit_equal: "bit for bit", within_tolerance: "within tolerance" }[serving.golden] ?? serving.golden;
  place.replaceChildren(
    el("p", { class: "eyebrow" }, "Answers now"),
    el("p", { class: "serving-name" }, modelName(serving)),
    facts([
      ["Named", serving.reference],
      ["Threshold", Number.isFinite(serving.threshold) ? fixed(serving.threshold) : null],
      ["Repeats its known answers", golden],
      ["In shadow", shadow ? shadowText(shadow) : null],
    ]),
    serving.problem ? el("p", { class: "note bad", role: "alert" }, serving.problem) : "",
  );
}

function listVersions() {
  const place = byId("versions");
  const rows = references(all.models);
  const problems = all.models.flatMap((model) => (model.problems ?? []).map((text) => `${model.name}: ${text}`));
  if (rows.length === 0) {
    place.replaceChildren(
      el("p", { class: "empty" }, "No model is registered yet. Each training run registers one; `tcrops models register` takes older ones in."),
    );
    return rows;
  }
  const holder = el("div");
  table = new DataTable(holder, {
    caption: "Registered versions",
    columns: [
      { label: "Model", header: true, value: (row) => row.reference, cell: versionButton },
      { label: "Aliases", value: (row) => row.version.aliases.join(" "), cell: (row) => aliasChips(row.version) },
      { label: "Registered", value: (row) => row.version.registered ?? "", cell: (row) => time(row.version.registered) },
      { label: "From", value: (row) => row.version.source ?? "" },
      { label: "Artifact", class: "code", value: (row) => row.version.artifact, cell: (row) => short(row.version.artifact) },
    ],
    rowClass: (row) => (row.reference === chosen ? "is-chosen" : ""),
    page: 20,
    status: byId("status"),
  });
  table.setRows(rows);
  place.replaceChildren(...problems.map((text) => el("p", { class: "note bad" }, text)), holder);
  return rows;
}

function versionButton(row) {
  const isChosen = row.reference === chosen;
  return el(
    "button",
    { type: "button", class: "link", "aria-current": isChosen ? "true" : null, onclick: () => choose(row.reference, true) },
    `${row.model.name} v${row.version.version}`,
  );
}

function buttons(detail) {
  if (!mayPromote) return null;
  const model = all.models.find((each) => each.name === detail.name);
  const isChampion = model?.aliases?.champion === detail.version;
  const list = [];
  if (!isChampion) {
    list.push(el("button", { type: "button", class: "primary", onclick: () => openMove("promote", detail) }, "Promote to champion"));
  } else if (model?.aliases?.previous !== undefined) {
    list.push(el("button", { type: "button", onclick: () => openMove("rollback", detail) }, `Roll back to version ${model.aliases.previous}`));
  }
  return el("div", { class: "buttons" }, list);
}

async function choose(reference, byHand) {
  const row = references(all.models).find((each) => each.reference === reference);
  if (!row) return;
  chosen = reference;
  table.draw();
  history.replaceState(null, "", path(["models"], { version: reference }));
  const place = byId("detail");
  show(place);
  place.replaceChildren(el("p", { class: "empty loading" }, "Loading…"));
  try {
    const detail = await get(path(["v1", "models", row.model.name, "versions", String(row.version.version)]));
    if (chosen !== reference) return;
    const title = el("h2", { id: "detail-title", tabindex: "-1" }, `${row.model.name} version ${row.version.version}`);
    const head = el("div", { class: "detail-head" }, el("div", {}, title, aliasChips(row.version)), buttons({ ...detail, name: row.model.name }));
    place.replaceChildren(head, ...detailSections(detail));
    say(byId("status"), `${title.textContent} is shown below.`);
    if (byHand) title.focus();
  } catch (error) {
    place.replaceChildren(el("h2", { id: "detail-title" }, reference), el("p", { class: "note bad", role: "alert" }, error.message));
  }
}

function openMove(kind, detail) {
  move = { kind, detail };
  const isPromotion = kind === "promote";
  byId("move-title").textContent = isPromotion ? `Promote ${detail.name} version ${detail.version}?` : `Roll ${detail.name} back?`;
  byId("move-text").textContent = isPromotion
    ? "It becomes the champion if the gates let it pass. Servers that follow the champion change over within seconds."
    : "The champion becomes what it was before. Servers that follow it change over within seconds.";
  byId("move-go").textContent = isPromotion ? "Promote" : "Roll back";
  byId("move-reason").value = "";
  show(byId("move-problem"), false);
  byId("move").showModal();
}

async function doMove() {
  const { kind, detail } = move;
  const button = byId("move-go");
  const problem = byId("move-problem");
  const reason = byId("move-reason").value.trim();
  if (reason === "") {
    show(problem).textContent = "Say why; whoever looks at the log later will want to know.";
    return;
  }
  button.disabled = true;
  try {
    await post(path(["v1", "models", detail.name, kind]), kind === "promote" ? { version: detail.version, reason } : { reason });
    byId("move").close();
    await load();
    say(byId("status"), kind === "promote" ? "Promoted." : "Rolled back.");
  } catch (error) {
    show(problem).textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

async function load() {
  try {
    all = await registry();
    showServing(all.serving, all.shadow);
    const rows = listVersions();
    const wanted = chosen || new URLSearchParams(location.search).get("version");
    const first = rows.find((row) => row.reference === wanted) ?? rows.find((row) => row.version.serving) ?? rows[0];
    if (first) await choose(first.reference, false);
  } catch (error) {
    byId("versions").replaceChildren(el("p", { class: "empty" }, "The registry could not be read."));
    showProblem(error);
  }
}

onSubmit(byId("move").querySelector("form"), doMove);
byId("move-cancel").addEventListener("click", () => byId("move").close());
const mine = await setUpPage();
mayPromote = mine.roles.includes("promote");
await load();
