// What every page has: the theme, the token, and which model answers.
import { get, me } from "./api.js";
import { byId, sentence, show } from "./dom.js";
import { counted } from "./format.js";
import { forgetToken, setUpSignIn, signIn, token } from "./sign_in.js";

const kTheme = "tcrops-theme";
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : systemIsDark.matches;
}

function tellTheme() {
  byId("theme").setAttribute("aria-pressed", String(isDark()));
  document.dispatchEvent(new CustomEvent("themechange"));
}

function setUpTheme() {
  byId("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(kTheme, theme);
    } catch {
      // it holds for this page then
    }
    tellTheme();
  });
  systemIsDark.addEventListener("change", tellTheme);
  tellTheme();
}

function markPage() {
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
}

function setUpToken({ token_needed: needed, name }) {
  const button = byId("token");
  show(button, needed || Boolean(token())); // a token that is kept can always be given up
  if (name && token()) button.title = `Signed in as ${name}`;
  button.textContent = token() ? "Sign out" : "Sign in";
  button.addEventListener("click", async () => {
    if (token()) forgetToken();
    else if (!(await signIn(false, true))) return;
    location.reload();
  });
}

// "viral version 3", "quickstart.model"
export function modelName(model) {
  if (!model) return "no model";
  const version = model.version === null || model.version === undefined ? "" : String(model.version);
  return /^\d+$/.test(version) ? `${model.name} version ${version}` : model.name;
}

// "viral v3", for heads of columns
export const shortName = (model) => modelName(model).replace(" version ", " v");

export function showServed(serving) {
  const place = byId("served");
  show(place, Boolean(serving));
  if (!serving) return;
  place.textContent = modelName(serving);
  place.title = `The model that answers: ${modelName(serving)}`;
}

// Prepares the page, and asks for a token where nothing may be asked without one. Gives {roles, version}.
export async function setUpPage() {
  markPage();
  setUpTheme();
  setUpSignIn();
  let mine = { token_needed: false, roles: [], version: "" };
  try {
    mine = await me();
    if (mine.token_needed && mine.roles.length === 0 && (await signIn(token() !== null))) mine = await me();
  } catch {
    // the request that the page needs will say what is wrong
  }
  setUpToken(mine);
  if (mine.version) byId("program").textContent = `tcrops ${mine.version}`;
  return mine;
}

export const kNoLog = "This server keeps no query log.";

// What is wrong with the query log; `logging` is null where there is none.
export function showLogProblem(logging) {
  const { problem = null, lost = 0 } = logging ?? {};
  const said = [];
  if (problem) said.push(sentence(new Error(`the query log cannot be written now: ${problem}`)));
  if (lost > 0) said.push(`${counted(lost, "query is", "queries are")} missing from the log: they could not be written.`);
  const place = byId("log-problem");
  show(place, said.length > 0);
  if (place.textContent !== said.join(" ")) place.textContent = said.join(" ");
}

export const registry = () => get("/v1/models");

// The versions of all models as a list of {reference, label, model, version}, the newest first.
export function references(models) {
  return models.flatMap((model) =>
    [...model.versions]
      .sort((a, b) => b.version - a.version)
      .map((version) => ({
        reference: `${model.name}@v${version.version}`,
        label: [`version ${version.version}`, ...version.aliases, ...(version.serving ? ["serving"] : [])].join(", "),
        model,
        version,
      })),
  );
}

// Fills a <select> with them, by model; `none` is the text of a first, empty choice.
export function fillReferences(select, models, none, chosen) {
  select.replaceChildren();
  if (none) select.append(new Option(none, ""));
  for (const model of models) {
    const group = document.createElement("optgroup");
    group.label = model.name;
    for (const each of references([model])) group.append(new Option(`${model.name} ${each.label}`, each.reference));
    select.append(group);
  }
  if (chosen) select.value = chosen;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}
