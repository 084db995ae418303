// One past query: what was asked and said, and what another model says today.
import { path, post } from "./api.js";
import { byId, chip, el, facts, show } from "./dom.js";
import { counted, duration, fixed, kNothing, short, time, whole, words } from "./format.js";
import { fillReferences, modelName, shortName } from "./page.js";
import { DataTable } from "./table.js";

function callText(row) {
  if (row.call === true) return chip("binder", "good");
  return row.call === false ? "no" : "";
}

// Of a long request the log keeps the first rows only.
function partNote(kept, rows) {
  if (kept === 0 || !(rows > kept)) return "";
  return el("p", { class: "hint" }, `Only the first ${whole(kept)} of ${whole(rows)} rows were kept, and are shown.`);
}

function outputTable(outputs) {
  const place = el("div");
  const table = new DataTable(place, {
    caption: "What was answered",
    columns: [
      { label: "Line", number: true, header: true, value: (row) => row.line },
      { label: "Score", number: true, value: (row) => row.score, cell: (row) => fixed(row.score) },
      { label: "Call", value: (row) => (row.call ? "binder" : "no"), cell: callText },
      { label: "Problem", value: (row) => (row.problem_kind ? words(row.problem_kind) : "") },
    ],
    empty: "No row was answered.",
    page: 50,
  });
  table.setRows(outputs ?? []);
  return place;
}

const difference = (row) => (Number.isFinite(row.then) && Number.isFinite(row.now) ? row.now - row.then : null);

function rerunText(rows) {
  const both = rows.filter((row) => difference(row) !== null);
  const changed = both.filter((row) => difference(row) !== 0);
  const largest = changed.reduce((most, row) => Math.max(most, Math.abs(difference(row))), 0);
  const lost = rows.filter((row) => Number.isFinite(row.then) && !Number.isFinite(row.now)).length;
  const gained = rows.filter((row) => !Number.isFinite(row.then) && Number.isFinite(row.now)).length;
  const told = [];
  if (both.length === 0) told.push("No row has a score both times.");
  else if (changed.length === 0) told.push(`No score changed, of ${whole(both.length)} given both times.`);
  else told.push(`${counted(changed.length, "score")} changed, of ${whole(both.length)} given both times, by ${fixed(largest)} at most.`);
  if (lost) told.push(`${counted(lost, "row")} had a score then and ${lost === 1 ? "has" : "have"} none now.`);
  if (gained) told.push(`${counted(gained, "row")} had no score then and ${gained === 1 ? "has" : "have"} one now.`);
  return told.join(" ");
}

function rerunTable({ then, now, rows }, asked) {
  const place = el("div");
  const table = new DataTable(place, {
    caption: "Then and now",
    columns: [
      { label: "Line", number: true, header: true, value: (row) => row.line },
      { label: `Then, ${shortName(then?.model ?? then)}`, number: true, value: (row) => row.then, cell: (row) => fixed(row.then) },
      { label: `Now, ${shortName(now?.model ?? now)}`, number: true, value: (row) => row.now, cell: (row) => fixed(row.now) },
      {
        label: "Change",
        number: true,
        value: (row) => difference(row),
        cell: (row) => (difference(row) === null ? kNothing : `${difference(row) < 0 ? "−" : "+"}${fixed(Math.abs(difference(row)))}`),
      },
    ],
    page: 50,
  });
  table.setRows(rows);
  return [el("p", {}, rerunText(rows)), partNote(rows.length, asked), place];
}

function rerunForm(query, models, roles) {
  if (!query.has_input && query.input === null) {
    return el("p", { class: "hint" }, "It cannot be run again: its input was not kept. A server started with --log-sequences keeps inputs.");
  }
  if (!roles.includes("predict")) return el("p", { class: "hint" }, "Running it again takes a token that may predict.");
  const select = el("select", { id: "rerun-model" });
  fillReferences(select, models, models.length ? null : "the model that answers now", "");
  const result = el("div", { id: "rerun-result", "aria-live": "polite" });
  const button = el("button", { type: "button", class: "primary" }, "Run again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    result.replaceChildren(el("p", { class: "empty loading" }, "Scoring…"));
    try {
      const answer = await post(path(["v1", "queries", query.id, "rerun"], { model: select.value, number: query.number }));
      result.replaceChildren(...rerunTable(answer, query.rows));
    } catch (error) {
      result.replaceChildren(el("p", { class: "note bad" }, error.message));
    } finally {
      button.disabled = false;
    }
  });
  return el(
    "div",
    {},
    el("div", { class: "filters" }, el("div", { class: "field" }, el("label", { for: "rerun-model" }, "On the model"), select), button),
    result,
  );
}

// The content of the section about a query.
export function queryDetail(query, models, roles) {
  const close = el("button", { type: "button", class: "quiet" }, "Close");
  close.addEventListener("click", () => {
    show(byId("query"), false);
    byId("list").querySelector("[aria-current]")?.focus();
    history.replaceState(null, "", "/queries");
  });
  return [
    el("div", { class: "card-head" }, el("h2", { id: "query-title", tabindex: "-1" }, "Query ", el("code", {}, query.id)), close),
    query.error ? el("p", { class: "note bad" }, query.error) : "",
    facts([
      ["Time", time(query.time, true)],
      ["Asked", query.route],
      ["Status", query.status],
      ["Model", query.model ? `${modelName({ name: query.model, version: query.version })}${query.reference ? `, asked for as ${query.reference}` : ""}` : null],
      ["Rows", query.rows === null ? null : `${whole(query.rows)}, ${whole(query.scored)} scored`],
      ["Took", duration(query.seconds)],
      ["Kind of input", query.content_type],
      ["Input digest", query.digest ? el("code", { title: query.digest }, short(query.digest)) : null],
      ["Data version", query.data_version ? el("code", { title: query.data_version }, short(query.data_version)) : null],
    ]),
    el("h3", {}, "Input"),
    query.input === null || query.input === undefined
      ? el("p", { class: "hint" }, "Only its digest was kept.")
      : el("pre", { class: "input", tabindex: "0", "aria-label": "What was sent" }, query.input),
    el("h3", {}, "Output"),
    partNote(query.outputs?.length ?? 0, query.rows),
    outputTable(query.outputs),
    el("h3", {}, "Again, on another model"),
    rerunForm(query, models, roles),
  ];
}
