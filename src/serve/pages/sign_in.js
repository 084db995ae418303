// The token that a server with a token file asks for. It lives as long as the tab.
import { byId, onSubmit, say } from "./dom.js";

const kKey = "tcrops-token";
const kUnsendable = /[^\x20-\xff]/; // in a header of a request
let asked = null; // what the open dialog will say
let declined = false;

export function token() {
  try {
    return sessionStorage.getItem(kKey);
  } catch {
    return null;
  }
}

export function forgetToken() {
  try {
    sessionStorage.removeItem(kKey);
  } catch {
    // nothing was kept
  }
}

// Asks for one; whether it was given. Requests that are refused at the same time ask together, and whoever did not want
// to give one is only asked again `byHand`.
export function signIn(refused, byHand = false) {
  if (declined && !byHand) return Promise.resolve(false);
  asked ??= open(refused).then((given) => {
    asked = null;
    declined = !given;
    return given;
  });
  return asked;
}

function open(refused) {
  const dialog = byId("sign-in");
  const field = byId("sign-in-token");
  if (refused) say(byId("sign-in-why"), "That token is not accepted. Ask whoever runs the server.");
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "given"), { once: true });
  });
}

export function setUpSignIn() {
  const dialog = byId("sign-in");
  onSubmit(dialog.querySelector("form"), () => {
    const field = byId("sign-in-token");
    const given = field.value.trim();
    if (kUnsendable.test(given)) {
      say(byId("sign-in-why"), "That is no token: it has a character that cannot be sent. Copy it again.");
      field.select();
      return;
    }
    sessionStorage.setItem(kKey, given);
    dialog.close("given");
  });
  byId("sign-in-cancel").addEventListener("click", () => dialog.close(""));
}
