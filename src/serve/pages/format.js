// Numbers, times and names as people read them.
import { el } from "./dom.js";

export const kNothing = "–";

const whole_ = new Intl.NumberFormat("en");
export const whole = (n) => (Number.isFinite(n) ? whole_.format(n) : kNothing);

// "1 row", "2 rows"
export const counted = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

export function fixed(value, digits = 3) {
  return Number.isFinite(value) ? value.toFixed(digits) : kNothing;
}

// As many digits as say something, whatever the size.
export function brief(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return value === null ? kNothing : String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? whole_.format(value) : value.toExponential(3);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

export function percent(share, digits = 1) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : kNothing;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return kNothing;
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

export const short = (id) => (id ? id.slice(0, 12) : kNothing);

// Figures and columns by the names that people use for them.
const kWords = {
  auroc: "AUROC",
  auc: "AUROC",
  auc01: "AUROC up to 0.1 FPR",
  auroc01: "AUROC up to 0.1 FPR",
  average_precision: "average precision",
  f1: "F1",
  mcc: "MCC",
  ece: "calibration error (ECE)",
  brier: "Brier score",
  recall_at_1: "recall at 1",
  recall_at_3: "recall at 3",
  train_loss: "training loss",
  validation_loss: "validation loss",
  validation_auroc: "validation AUROC",
  validation_average_precision: "validation average precision",
  unseen_epitope: "epitope not seen in training",
  far_from_training: "TCR unlike those in training",
};
export const words = (name) => kWords[name] ?? String(name).replaceAll("_", " ");

const when_ = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const exact_ = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

// Seconds since 1970, or the text of a time; null when it is neither.
function date(time) {
  if (time === null || time === undefined || time === "") return null;
  const made = new Date(typeof time === "number" ? time * 1000 : time);
  return Number.isNaN(made.getTime()) ? null : made;
}

// A <time> in this reader's time zone; pointing at it tells the exact one.
export function time(value, exact = false) {
  const made = date(value);
  if (!made) return value ? String(value) : kNothing;
  return el("time", { datetime: made.toISOString(), title: made.toISOString() }, (exact ? exact_ : when_).format(made));
}

export function timeText(value) {
  const made = date(value);
  return made ? when_.format(made) : kNothing;
}

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
