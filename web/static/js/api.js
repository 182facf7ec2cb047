// The server, as the console speaks to it: its public HTTP API, nothing else.
import { stored } from "./dom.js";
import { askKey } from "./keydialog.js";

// Problem is an answer that is an error: RFC 9457 problem+json.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "HTTP " + status);
    this.status = status;
    this.code = body.code ?? "";
    this.requestID = body.request_id ?? "";
  }
}

const keyName = "upnext.key";

// call sends one request and returns the decoded answer; null where it is
// empty. It throws a Problem, or an AbortError where signal ended it.
export async function call(method, path, { body, type, signal } = {}) {
  const headers = { Accept: "application/json" };
  const key = stored(keyName, undefined, "sessionStorage");
  if (key) headers.Authorization = "Bearer " + key;
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new Problem(0, { code: "offline", detail: err.message });
  }
  if (response.status === 401) {
    const given = await askKey(Boolean(key));
    if (given) {
      stored(keyName, given, "sessionStorage");
      return call(method, path, { body, type, signal });
    }
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = { detail: text.slice(0, 200) };
  }
  if (!response.ok) throw new Problem(response.status, answer ?? {});
  return answer;
}

const id = encodeURIComponent; // ids hold any characters, slashes too

// The fields that a card shows.
export const cardFields = [
  "title", "description", "thumbnail", "creator_id", "creator_name", "topics", "emotion", "style", "language", "kind", "duration_ms", "tags",
];

export const recommend = (body, signal) => call("POST", "/v1/recommend", { body, signal });
export const pages = (body, signal) => call("POST", "/v1/pages", { body, signal });
export const metrics = (query, signal) => call("GET", "/v1/metrics?" + new URLSearchParams(query), { signal });
export const similar = (body, signal) => call("POST", "/v1/similar", { body, signal });
export const search = (body, signal) => call("POST", "/v1/search", { body, signal });
export const sendEvent = (body) => call("POST", "/v1/events", { body });
export const retract = (event, user) => call("DELETE", `/v1/events/${id(event)}?user_id=${id(user)}`);
export const profile = (user, signal) => call("GET", `/v1/users/${id(user)}/profile`, { signal });
export const erase = (user) => call("DELETE", `/v1/users/${id(user)}`);
export const readItem = (item) => call("GET", `/v1/items/${id(item)}`);
export const understanding = (item) => call("GET", `/v1/items/${id(item)}/understanding`);
export const correct = (item, said) =>
  call("PATCH", `/v1/items/${id(item)}/understanding`, { body: said, type: "application/merge-patch+json" });
export const imports = (signal) => call("GET", "/v1/imports?limit=10", { signal });
export const startImport = (body) => call("POST", "/v1/imports", { body });
export const readImport = (run, signal) => call("GET", `/v1/imports/${id(run)}`, { signal });
export const cancelImport = (run) => call("POST", `/v1/imports/${id(run)}/cancel`);
export const failures = (run, after = 0) => call("GET", `/v1/imports/${id(run)}/failures?limit=50&after=${after}`);

export const bundles = (signal) => call("GET", "/v1/models", { signal });
export const trainings = (signal) => call("GET", "/v1/models/runs?limit=5", { signal });
export const train = (body) => call("POST", "/v1/models/train", { body });
export const cancelTraining = (run) => call("POST", `/v1/models/runs/${id(run)}/cancel`);
export const promote = (version) => call("POST", `/v1/models/${id(version)}/promote`);
export const rollback = () => call("POST", "/v1/models/rollback");

// simulated returns the demo's viewers; none where the server is no demo.
export async function simulated() {
  try {
    return (await call("GET", "/demo/viewers.json")) ?? [];
  } catch {
    return [];
  }
}

// picture returns the address of a thumbnail: an object key below /media, or
// a URL as it is. Null where there is none.
export function picture(thumbnail) {
  if (!thumbnail) return null;
  if (/^https:\/\//.test(thumbnail)) return thumbnail;
  if (/^[a-z]+:/i.test(thumbnail)) return null; // no other scheme is shown
  return "/media/" + thumbnail.split("/").map(id).join("/");
}
