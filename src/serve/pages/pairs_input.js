// What is to be scored: the text field, or a file beside it when that is too long to edit.
import { byId, show } from "./dom.js";
import { bytes, counted } from "./format.js";

const kEditable = 200_000; // characters that a text field takes without trouble

async function unpacked(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (start[0] === 0x50 && start[1] === 0x4b) throw new Error(`${file.name} is a zip archive; unpack it and drop the table in it`);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return file.text();
  try {
    return await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  } catch {
    throw new Error(`${file.name} is no whole gzip file`);
  }
}

const lineCount = (text) => text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "").length;

export class PairsInput {
  // Calls onChange after every change and onProblem(error) for a file that cannot be used.
  constructor(onChange, onProblem) {
    this.onChange = onChange;
    this.onProblem = onProblem;
    this.field = byId("pairs");
    this.name = "";
    this.long = null; // text of a file that is not in the field
    this.field.addEventListener("input", () => this.changed(""));
    byId("clear").addEventListener("click", () => {
      this.set("");
      this.field.focus();
    });
    byId("file-remove").addEventListener("click", () => {
      this.set("");
      this.field.focus();
    });
    byId("choose").addEventListener("change", (event) => this.take(event.target.files));
    this.listenForDrops();
  }

  listenForDrops() {
    const place = byId("drop");
    const hasFile = (event) => [...event.dataTransfer.types].includes("Files");
    for (const name of ["dragenter", "dragover"]) {
      place.addEventListener(name, (event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        place.classList.add("over");
      });
    }
    place.addEventListener("dragleave", (event) => {
      if (!place.contains(event.relatedTarget)) place.classList.remove("over");
    });
    place.addEventListener("drop", (event) => {
      place.classList.remove("over");
      if (!hasFile(event)) return;
      event.preventDefault();
      this.take(event.dataTransfer.files);
    });
    // A file that misses the place would be opened instead of the page.
    for (const name of ["dragover", "drop"]) {
      window.addEventListener(name, (event) => {
        if (hasFile(event)) event.preventDefault();
      });
    }
  }

  async take(files) {
    const [file] = files;
    if (!file) return;
    try {
      if (files.length > 1) throw new Error("one file at a time, please");
      this.set(await unpacked(file), file.name);
    } catch (error) {
      this.onProblem(error);
    }
    byId("choose").value = "";
  }

  set(text, name = "") {
    const isLong = text.length > kEditable;
    this.long = isLong ? text : null;
    this.field.value = isLong ? "" : text;
    show(this.field, !isLong);
    show(byId("file"), isLong);
    this.changed(name);
  }

  changed(name) {
    this.name = name;
    const text = this.text();
    const lines = lineCount(text);
    const what = lines ? counted(lines, "line") : "";
    byId("count").textContent = name && lines ? `${name}, ${what}` : what;
    byId("file-name").textContent = `${name || "text"}, ${bytes(new Blob([text]).size)}, too long to edit here`;
    this.onChange();
  }

  text() {
    return this.long ?? this.field.value;
  }

  isEmpty() {
    return this.text().trim() === "";
  }

  // What to send, and as what.
  body() {
    const text = this.text();
    const begin = text.trimStart().charAt(0);
    if (begin === "[") return { body: `{"rows": ${text}}`, type: "application/json" };
    return { body: text, type: begin === "{" ? "application/json" : "text/plain" };
  }
}
