// Imports: start one, watch them.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { imports as readAll, startImport } from "./api.js";
import { makeRun } from "./run.js";
import { complain, toast } from "./toast.js";

const fast = 500; // ms between looks while something runs
const slow = 4000;

// imports fills the root and returns how to leave it.
export function imports(root) {
  const source = h("input", { id: "source", name: "source", required: true, maxlength: "4096", autocomplete: "off", spellcheck: "false", placeholder: "blob:default/demo/" });
  const format = h("select", { id: "format" }, ["auto", "folders", "ndjson", "csv", "movielens"].map((f) => h("option", { value: f, text: t("format." + f) })));
  const missing = h("select", { id: "missing" }, ["keep", "hide", "delete"].map((m) => h("option", { value: m, text: t("missing." + m) })));
  const runs = h("div", { class: "runs" });
  const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id, text: t(label) }), input);
  fill(root, h("h1", { text: t("imports.title") }), h("p", { class: "lead", text: t("imports.text") }),
    h("form", {
      class: "panel start", onsubmit: async (e) => {
        e.preventDefault();
        try {
          await startImport({ source: source.value.trim(), format: format.value, on_missing: missing.value });
          toast(t("imports.started"));
          look();
        } catch (err) {
          complain(err);
        }
      },
    }, field("imports.source", source), field("imports.format", format), field("imports.missing", missing),
    h("button", { class: "button", type: "submit" }, icon("box", 18), t("imports.start"))),
    h("h2", { text: t("imports.latest") }), runs);

  const drawn = new Map();
  const ending = new AbortController();
  let timer = 0;
  const look = async () => {
    clearTimeout(timer);
    let all = [];
    try {
      all = (await readAll(ending.signal)).imports;
    } catch (err) {
      if (err.name === "AbortError") return;
      complain(err);
      timer = setTimeout(look, slow);
      return;
    }
    for (const run of all) {
      if (!drawn.has(run.id)) drawn.set(run.id, makeRun(run, look));
      drawn.get(run.id).update(run);
    }
    const order = all.map((run) => drawn.get(run.id).element);
    if (order.some((e, i) => runs.children[i] !== e) || runs.children.length !== order.length) fill(runs, order.length ? order : h("p", { class: "empty", text: t("imports.none") }));
    const running = all.some((run) => run.state === "running" || run.state === "queued");
    timer = setTimeout(look, document.hidden || !running ? slow : fast);
  };
  look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
