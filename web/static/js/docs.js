// The reference page: /openapi.json, told. Nothing is written here by hand, so
// it cannot say what the server does not do.
import { fill, h } from "./dom.js";
import { drawIcons, icon } from "./icons.js";
import { language, setLanguage, t, translate } from "./i18n.js";
import { showTheme, wireTheme } from "./theme.js";
import { call } from "./api.js";
import { complain, toast } from "./toast.js";
import { example, fields, follow, limits, typeName } from "./schema.js";

const root = document.getElementById("docs");
// What a newcomer wants to know first comes first; other tags follow.
const reading = ["recommend", "events", "items", "imports", "users", "schema"];
const methods = ["get", "put", "post", "patch", "delete"];
let api = null;

// operations lists every route, by tag.
function operations() {
  const all = Object.entries(api.paths ?? {}).flatMap(([path, item]) => methods.filter((m) => item[m]).map((method) => ({
    path, method, op: item[method], tag: item[method].tags?.[0] ?? "", id: item[method].operationId ?? method + path, shared: item.parameters ?? [],
  })));
  const tags = [...new Set(all.map((o) => o.tag))];
  const order = [...reading.filter((tag) => tags.includes(tag)), ...tags.filter((tag) => !reading.includes(tag))];
  return order.map((tag) => ({ tag, routes: all.filter((o) => o.tag === tag) }));
}

const pill = (method) => h("span", { class: "method " + method, text: method.toUpperCase() });

function draw() {
  translate(document);
  document.title = t("docs.title") + " · upnext";
  const button = document.getElementById("language");
  button.textContent = language === "zh" ? "EN" : "中文";
  button.lang = language === "zh" ? "en" : "zh-Hans";
  showTheme(document.getElementById("theme"));
  if (!api) return fill(root, h("p", { class: "empty", text: t("loading") }));
  const groups = operations();
  const filter = h("input", { id: "filter", type: "search", placeholder: t("docs.filter"), "aria-label": t("docs.filter"), autocomplete: "off" });
  const nothing = h("p", { class: "empty", hidden: true, text: t("docs.nothing") });
  const links = h("nav", { "aria-label": t("docs.routes") }, groups.map(({ tag, routes }) => h("div", { class: "group" }, h("p", { class: "tag", text: tag }),
    h("ul", {}, routes.map((o) => h("li", { "data-route": o.id }, h("a", { href: "#" + o.id }, pill(o.method), h("span", { text: o.path.replace(/^\/v1/, "") }))))))));
  fill(root,
    h("aside", {}, filter, links),
    h("div", { class: "text" },
      h("h1", { text: t("docs.title") }),
      h("p", { class: "lead" }, (api.info?.description ?? "") + " " + t("docs.text") + " ", h("a", { href: "/openapi.json", text: "/openapi.json" }), api.info?.version ? h("span", { class: "chip", text: api.info.version }) : null),
      nothing,
      groups.map(({ tag, routes }) => h("section", { class: "group" }, h("h2", { class: "tag", text: tag }), routes.map(route)))));
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Set(groups.flatMap((g) => g.routes).filter((o) => {
      const text = [o.method, o.path, o.op.summary, o.tag].join(" ").toLowerCase();
      return words.every((w) => text.includes(w));
    }).map((o) => o.id));
    for (const e of root.querySelectorAll("[data-route]")) e.hidden = !found.has(e.dataset.route);
    for (const g of root.querySelectorAll(".group")) g.hidden = !g.querySelector("[data-route]:not([hidden])");
    nothing.hidden = found.size > 0;
  });
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

// route tells one operation.
function route({ path, method, op, id, shared }) {
  const parameters = [...shared, ...(op.parameters ?? [])].map((p) => follow(api, p));
  const bodies = Object.entries(op.requestBody?.content ?? {});
  const answers = Object.entries(op.responses ?? {});
  return h("article", { class: "panel route", id, "data-route": id, "aria-labelledby": id + "-h" },
    h("h3", { id: id + "-h" }, pill(method), h("a", { class: "path", href: "#" + id, text: path })),
    op.summary ? h("p", { class: "summary", text: op.summary }) : null,
    op.description && op.description !== op.summary ? h("p", { class: "soft", text: op.description }) : null,
    parameters.length ? [h("h4", { text: t("docs.parameters") }), table(parameters.map((p) => ({
      name: p.name, depth: 0, type: `${typeName(api, p.schema)} · ${p.in}`, required: p.required, schema: { ...follow(api, p.schema), description: p.description ?? p.schema?.description },
    })))] : null,
    bodies.map(([type, content], i) => [
      i === 0 ? h("h4", { text: t("docs.body") }) : null, h("p", { class: "soft type", text: type }),
      i === 0 && fields(api, content.schema).length ? table(fields(api, content.schema)) : null,
    ]),
    h("h4", { text: t("docs.example") }), snippet(method, path, parameters, bodies[0]),
    h("h4", { text: t("docs.answers") }),
    answers.map(([status, answer]) => h("details", { class: "answer", open: false }, h("summary", {}, h("code", { class: /^2/.test(status) ? "good" : "", text: status }), h("span", { text: follow(api, answer).description ?? "" })),
      Object.entries(follow(api, answer).content ?? {}).map(([type, content]) => [
        h("p", { class: "soft type", text: type }),
        fields(api, content.schema).length ? table(fields(api, content.schema)) : h("p", { class: "soft", text: typeName(api, content.schema) }),
      ]))));
}

function table(rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("docs.parameters") }, h("table", {}, h("tbody", {}, rows.map((r) => h("tr", {},
    h("th", { scope: "row", vars: { "--depth": r.depth } }, h("code", { text: r.name }), r.required ? h("span", { class: "must", text: t("docs.required") }) : null),
    h("td", { class: "soft", text: r.type }),
    h("td", {}, h("span", { text: r.schema.description ?? "" }),
      limits(r.schema) ? h("span", { class: "soft", text: " " + limits(r.schema) }) : null,
      r.schema.default !== undefined ? h("span", { class: "soft", text: " " + t("docs.default", { value: JSON.stringify(r.schema.default) }) }) : null))))));
}

// snippet is a curl command that works when pasted into a shell.
function snippet(method, path, parameters, body) {
  const given = path.replace(/\{(\w+)\}/g, (whole, name) => encodeURIComponent(parameters.find((p) => p.name === name)?.example ?? name.toUpperCase()));
  const lines = [`curl${method === "get" ? "" : " -X " + method.toUpperCase()} ${location.origin}${given}`];
  if (body) {
    const [type, content] = body;
    const value = content.example ?? Object.values(content.examples ?? {})[0]?.value ?? example(api, content.schema);
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    lines.push(`  -H 'Content-Type: ${type}'`, `  -d '${text.replaceAll("'", "'\\''")}'`);
  }
  const text = lines.join(" \\\n");
  return h("div", { class: "snippet" }, h("pre", { tabindex: "0" }, h("code", { text })),
    h("button", {
      class: "tool small", type: "button", "aria-label": t("docs.copy"), title: t("docs.copy"), onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          toast(t("docs.copied"));
        } catch (err) {
          complain(err);
        }
      },
    }, icon("copy", 16)));
}

drawIcons(document);
wireTheme(document.getElementById("theme"));
document.getElementById("language").addEventListener("click", () => {
  setLanguage(language === "zh" ? "en" : "zh");
  draw();
});
draw();
try {
  api = await call("GET", "/openapi.json");
  draw();
} catch (err) {
  fill(root, h("p", { class: "empty", text: err.message }));
}
