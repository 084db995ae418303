// Requests to this server.
import { signIn, token } from "./sign_in.js";

export class ApiError extends Error {
  constructor(message, status, requestId = "") {
    super(message);
    this.status = status;
    this.requestId = requestId;
  }
}

async function errorOf(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    return new ApiError(body.error, response.status, body.request_id);
  } catch {
    return new ApiError(`the server answered ${response.status}`, response.status);
  }
}

// A response whose status says that it worked. Throws ApiError otherwise; asks for a token where one is missing.
export async function send(path, options = {}) {
  for (;;) {
    const headers = new Headers(options.headers);
    const mine = token();
    if (mine) headers.set("Authorization", `Bearer ${mine}`);
    let response;
    try {
      response = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError("the server cannot be reached; is it still running?", 0);
    }
    if (response.status === 401 && (await signIn(mine !== null))) continue;
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

export const get = async (path) => (await send(path)).json();

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return (await send(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// "/v1/models/a%20b/versions/3"; parts of a path are escaped, parameters that are empty left out.
export function path(parts, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = `/${parts.map(encodeURIComponent).join("/")}`;
  return query.size ? `${text}?${query}` : text;
}

// What may be asked for: {token_needed, roles, version}.
export const me = async () => (await fetch("/v1/me", { cache: "no-store", headers: authorization() })).json();

function authorization() {
  const mine = token();
  return mine ? { Authorization: `Bearer ${mine}` } : {};
}

// Hands a text to the browser as a file.
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
