// The client of upnext's HTTP API for JavaScript and TypeScript, in browsers and in
// Node 18 or later, without dependencies. Its operations are generated from
// openapi.yaml (task clients); upnext.d.ts types their bodies and answers.
import { operations } from "./operations.js";

// UpnextError is an answer that is a problem (RFC 9457), or no answer at all.
export class UpnextError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || `status ${status}`);
    this.name = "UpnextError";
    this.status = status; // 0: no answer came
    this.problem = problem; // errors[].pointer says where in the body
    this.retryAfter = retryAfter; // seconds; undefined where trying again is of no use
  }
}

// Upnext has a method for each operation: post-recommend is postRecommend({ body }).
// They take { path, query, headers, body, signal } and resolve to the answer's body.
export class Upnext {
  constructor({ url = "http://127.0.0.1:8080", key, fetch: send = globalThis.fetch } = {}) {
    Object.assign(this, { url: url.replace(/\/+$/, ""), key, send });
  }

  async call(method, template, { path = {}, query = {}, headers = {}, body, signal } = {}) {
    const route = template.replace(/{(\w+)}/g, (_, name) => {
      if (path[name] === undefined) throw new TypeError(`${template}: path.${name} is missing`);
      return encodeURIComponent(path[name]);
    });
    const asked = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== undefined).flatMap(([k, v]) => [v].flat().map((one) => [k, String(one)])));
    const raw = body === undefined || typeof body === "string" || body instanceof Blob || body instanceof ReadableStream;
    const sent = new Headers(headers);
    if (this.key && !sent.has("Authorization")) sent.set("Authorization", `Bearer ${this.key}`);
    if (body !== undefined && !sent.has("Content-Type")) {
      sent.set("Content-Type", raw ? "application/x-ndjson" : method === "PATCH" ? "application/merge-patch+json" : "application/json");
    }
    let answer;
    try {
      answer = await this.send.call(undefined, this.url + route + (asked.size ? `?${asked}` : ""), {
        method, headers: sent, signal, body: raw ? body : JSON.stringify(body), ...(body instanceof ReadableStream && { duplex: "half" }),
      });
    } catch (err) {
      if (signal?.aborted) throw err;
      throw new UpnextError(0, { title: "no answer", detail: String(err.cause ?? err) });
    }
    const text = await answer.text();
    const isJSON = /[/+]json\b/.test(answer.headers.get("Content-Type") ?? "");
    if (!answer.ok) {
      const wait = Number(answer.headers.get("Retry-After"));
      throw new UpnextError(answer.status, isJSON ? JSON.parse(text) : { title: text }, wait || undefined);
    }
    return isJSON ? JSON.parse(text) : text || undefined;
  }
}

for (const [id, [method, template]] of Object.entries(operations)) {
  const name = id.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  Upnext.prototype[name] = function (args) { return this.call(method, template, args); };
}
