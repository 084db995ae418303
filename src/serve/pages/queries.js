// The page of past queries.
import { get, path } from "./api.js";
import { byId, chip, el, onSubmit, say, show, showProblem } from "./dom.js";
import { counted, duration, short, time, whole } from "./format.js";
import { kNoLog, registry, setUpPage, showLogProblem, showServed } from "./page.js";
import { queryDetail } from "./query_detail.js";
import { DataTable } from "./table.js";

const kAtOnce = 50;

let models = [];
let found = [];
let next = null;
let table = null;
let opened = { id: "", number: null }; // ids are the clients' and may repeat, numbers do not
let roles = [];

const seconds = (id) => (byId(id).value ? new Date(byId(id).value).getTime() / 1000 : "");

const wanted = () => ({
  limit: kAtOnce,
  search: byId("text").value.trim(),
  valid: byId("valid").value,
  model: byId("model").value,
  from: seconds("from"),
  to: seconds("to"),
});

function outcome(query) {
  if (query.status >= 400) return chip(`failed, ${query.status}`, "bad");
  if (!query.valid) return chip("no row scored", "bad");
  return query.rejected ? chip(`${counted(query.rejected, "row")} without a score`, "warn") : chip("valid", "good");
}

function openButton(query) {
  return el(
    "button",
    {
      type: "button",
      class: "link code",
      title: query.id,
      "aria-current": query.number === opened.number ? "true" : null,
      onclick: () => open(query.id, query.number, true),
    },
    query.id.length > 16 ? `${query.id.slice(0, 16)}…` : query.id,
  );
}

function makeTable() {
  table = new DataTable(byId("list"), {
    caption: "Queries",
    columns: [
      { label: "Query", header: true, value: (row) => row.id, cell: openButton },
      { label: "Time", value: (row) => row.time, cell: (row) => time(row.time, true) },
      { label: "Outcome", value: (row) => (row.valid ? 0 : row.status), cell: outcome },
      { label: "Model", value: (row) => row.reference ?? row.model ?? "" },
      { label: "Rows", number: true, value: (row) => row.rows, cell: (row) => whole(row.rows) },
      { label: "Scored", number: true, value: (row) => row.scored, cell: (row) => whole(row.scored) },
      { label: "Took", number: true, value: (row) => row.seconds, cell: (row) => duration(row.seconds) },
      { label: "Input", class: "code", title: "SHA-256 of what was sent", value: (row) => row.digest ?? "", cell: (row) => short(row.digest) },
      { label: "Error", class: "remarks", value: (row) => row.error ?? "" },
    ],
    empty: "No query fits.",
    rowClass: (row) => (row.number === opened.number ? "is-chosen" : ""),
    page: 1000,
    status: byId("status"),
  });
}

function tellLogging(logging) {
  showLogProblem(logging);
  byId("kept").textContent = "";
  if (!logging) return;
  const { sequences, keep_days: days } = logging;
  const kept = sequences ? "Inputs are kept, so that a query can be run again" : "Inputs are not kept, only their digest (serve with --log-sequences keeps them)";
  const until = days > 0 ? `forgotten after ${counted(days, "day")}` : "kept for ever";
  byId("kept").textContent = `${kept}. Queries are ${until}.`;
}

async function search(before) {
  const button = byId("older");
  button.disabled = true;
  showProblem(null);
  try {
    const answer = await get(path(["v1", "queries"], { ...wanted(), before }));
    found = before ? [...found, ...answer.queries] : answer.queries;
    next = answer.next;
    tellLogging(answer.logging);
    if (!answer.logging) {
      byId("list").replaceChildren(el("p", { class: "empty" }, kNoLog));
    } else if (found.length === 0 && Object.values({ ...wanted(), limit: "" }).every((value) => value === "")) {
      byId("list").replaceChildren(el("p", { class: "empty" }, "Nothing was asked yet. What is scored on the page Predict, or through the API, will stand here."));
    } else {
      makeTable();
      table.setRows(found);
    }
    show(button, next !== null);
    say(byId("status"), answer.logging ? `${counted(found.length, "query", "queries")} found.` : kNoLog);
  } catch (error) {
    byId("list").replaceChildren(el("p", { class: "empty" }, "The log could not be read."));
    showProblem(error);
  } finally {
    button.disabled = false;
  }
}

// Without a number the newest with that id.
async function open(id, number, byHand) {
  const mine = { id, number };
  opened = mine;
  if (table) table.draw();
  const place = byId("query");
  show(place).replaceChildren(el("p", { class: "empty loading" }, "Loading…"));
  try {
    const query = await get(path(["v1", "queries", id], { number }));
    if (opened !== mine) return;
    if (mine.number !== query.number) {
      mine.number = query.number;
      if (table) table.draw();
    }
    place.replaceChildren(...queryDetail(query, models, roles));
    history.replaceState(null, "", path(["queries"], { query: id, number: query.number }));
    if (byHand) byId("query-title").focus();
  } catch (error) {
    if (opened !== mine) return;
    place.replaceChildren(el("h2", { id: "query-title" }, id), el("p", { class: "note bad", role: "alert" }, error.message));
  }
}

onSubmit(byId("search"), () => search());
byId("older").addEventListener("click", () => search(next));
({ roles } = await setUpPage());
try {
  const all = await registry();
  ({ models } = all);
  showServed(all.serving);
  const names = [...new Set([...models.map((model) => model.name), ...(all.serving ? [all.serving.name] : [])])];
  byId("model").append(...names.map((name) => new Option(name, name)));
} catch (error) {
  showProblem(error);
}
await search();
const asked = new URLSearchParams(location.search);
if (asked.get("query")) await open(asked.get("query"), asked.get("number"), false);
