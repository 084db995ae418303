// Tables of any length: a page of rows at a time, sorted by a column, filtered.
import { el } from "./dom.js";
import { whole } from "./format.js";

const kPage = 100;

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

const isMissing = (value) =>
  value === null || value === undefined || value === "" || (typeof value === "number" && Number.isNaN(value));

// Columns: {label, value(row), cell(row), number, header, title, unsorted}. `value` is what is sorted by, `cell` a node or
// text (the value by itself when there is none), `number` aligns right and sorts the largest first, `header` names the row.
// Numbers that are missing come last whichever way.
export class DataTable {
  constructor(place, { caption, columns, empty = "Nothing to show.", rowClass = () => "", page = kPage, status = null }) {
    Object.assign(this, { caption, columns, empty, rowClass, page, status });
    this.rows = [];
    this.shown = [];
    this.begin = 0;
    this.sorted = { column: null, falling: false };
    this.accepts = () => true;
    this.body = el("tbody");
    this.heads = columns.map((column) => this.head(column));
    const table = el(
      "table",
      {},
      el("caption", { class: "offscreen" }, caption),
      el("thead", {}, el("tr", {}, this.heads)),
      this.body,
    );
    this.scroller = el("div", { class: "table-scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
    this.range = el("span", { class: "range" });
    this.back = el("button", { type: "button", onclick: () => this.turn(-1) }, "Previous");
    this.next = el("button", { type: "button", onclick: () => this.turn(1) }, "Next");
    this.pager = el("nav", { class: "pager", "aria-label": `Pages of: ${caption}` }, this.back, this.range, this.next);
    place.replaceChildren(this.scroller, this.pager);
  }

  head(column) {
    const attributes = { scope: "col", class: column.number ? "number" : null, title: column.title };
    if (column.unsorted) return el("th", attributes, column.label);
    const button = el(
      "button",
      { type: "button", class: "sort", onclick: () => this.sortBy(column) },
      column.label,
      el("span", { class: "arrow", "aria-hidden": "true" }),
    );
    return el("th", { ...attributes, "aria-sort": "none" }, button);
  }

  setRows(rows) {
    this.rows = rows;
    this.update();
  }

  setFilter(accepts) {
    this.accepts = accepts;
    this.update();
  }

  // The first time its natural way, then the other, then as the rows came.
  sortBy(column) {
    const natural = Boolean(column.number);
    if (this.sorted.column !== column) this.sorted = { column, falling: natural };
    else if (this.sorted.falling === natural) this.sorted = { column, falling: !natural };
    else this.sorted = { column: null, falling: false };
    this.update();
    if (this.status) this.status.textContent = this.order();
  }

  order() {
    const { column, falling } = this.sorted;
    if (!column) return "Rows as they came.";
    const way = column.number ? (falling ? "largest first" : "smallest first") : falling ? "Z to A" : "A to Z";
    return `Sorted by ${column.label}, ${way}.`;
  }

  update() {
    const { column, falling } = this.sorted;
    this.shown = this.rows.filter(this.accepts);
    if (column) {
      const keyed = this.shown.map((row) => [column.value(row), row]);
      keyed.sort(([a], [b]) => {
        if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
        return falling ? compare(b, a) : compare(a, b);
      });
      this.shown = keyed.map(([, row]) => row);
    }
    this.columns.forEach((each, i) => {
      if (each.unsorted) return;
      const way = each !== column ? "none" : falling ? "descending" : "ascending";
      this.heads[i].setAttribute("aria-sort", way);
    });
    this.begin = 0;
    this.draw();
  }

  turn(pages) {
    this.begin += pages * this.page;
    this.draw();
    // A button that is off would lose the keyboard's place.
    if (this.back.disabled) this.next.focus();
    else if (this.next.disabled) this.back.focus();
    this.scroller.scrollTop = 0;
    this.scroller.scrollIntoView({ block: "nearest" });
    if (this.status) this.status.textContent = this.range.textContent;
  }

  draw() {
    const end = Math.min(this.begin + this.page, this.shown.length);
    const rows = this.shown.slice(this.begin, end).map((row) => this.line(row));
    const nothing = el("tr", {}, el("td", { colspan: this.columns.length, class: "empty" }, this.empty));
    this.body.replaceChildren(...(rows.length ? rows : [nothing]));
    const total = this.shown.length;
    const of = total === this.rows.length ? whole(total) : `${whole(total)} (of ${whole(this.rows.length)})`;
    this.range.textContent = total ? `Rows ${whole(this.begin + 1)} to ${whole(end)} of ${of}` : "No rows";
    this.back.disabled = this.begin === 0;
    this.next.disabled = end >= total;
    this.pager.hidden = this.rows.length <= this.page && total === this.rows.length;
    this.back.hidden = this.next.hidden = this.rows.length <= this.page;
  }

  line(row) {
    const cells = this.columns.map((column) => {
      const shown = column.cell ? column.cell(row) : column.value(row);
      const kind = [column.number ? "number" : "", column.class ?? ""].join(" ").trim();
      const attributes = { class: kind || null };
      if (column.header) return el("th", { ...attributes, scope: "row" }, shown ?? "");
      return el("td", attributes, shown ?? "");
    });
    return el("tr", { class: this.rowClass(row) || null }, cells);
  }
}

// A small table that is neither sorted nor paged. The first column names the row.
export function plainTable(caption, labels, rows, { hideCaption = true, numbers = true } = {}) {
  const line = (cells) =>
    el(
      "tr",
      {},
      cells.map((cell, i) =>
        i === 0 ? el("th", { scope: "row" }, cell ?? "") : el("td", { class: numbers ? "number" : null }, cell ?? ""),
      ),
    );
  const table = el(
    "table",
    {},
    el("caption", { class: hideCaption ? "offscreen" : null }, caption),
    el("thead", {}, el("tr", {}, labels.map((label, i) => el("th", { scope: "col", class: i && numbers ? "number" : null }, label)))),
    el("tbody", {}, rows.map(line)),
  );
  return el("div", { class: "table-scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
}
