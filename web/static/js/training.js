// One training: how far each model is, its curves, and what it made.
import { fill, h } from "./dom.js";
import { ago, number, t } from "./i18n.js";
import { curve } from "./curve.js";

// makeTraining returns {element, update}; cancel ends the training.
export function makeTraining(run, cancel) {
  const state = h("span", { class: "state" });
  const when = h("span", { class: "soft when" });
  const problem = h("p", { class: "warn" });
  const steps = h("div");
  const curves = h("div", { class: "curves" });
  const made = h("div");
  const end = h("button", { class: "button quiet", type: "button", text: t("cancel"), onclick: cancel });
  const element = h("article", { class: "panel run", "data-training": run.id },
    h("header", {}, h("h3", { text: run.models.join(", ") || t("models.standard") }), state, when, end), problem, steps, curves, made);
  const update = (next) => {
    element.dataset.state = next.state;
    state.textContent = t("state." + next.state);
    when.textContent = ago(next.started_at ?? next.queued_at);
    end.hidden = next.state !== "running" && next.state !== "queued";
    problem.hidden = !next.error;
    problem.textContent = next.error ?? "";
    fill(steps, next.state === "running" ? next.steps.slice(-1).map(progress) : []);
    fill(curves, next.curves.filter((c) => c.points.length > 1).map((c) => curve(`${c.model} · ${t("models." + c.of)}`, c.points)));
    fill(made, next.bundle ? table(next.bundle) : []);
  };
  return { element, update };
}

function progress(step) {
  const share = step.total ? step.done / step.total : 0;
  const bar = h("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": Math.round(share * 100), "aria-label": step.model, vars: { "--share": share } }, h("i"));
  return [h("p", { class: "soft", text: `${step.model} · ${step.phase} ${number(step.done)} / ${number(step.total)}` }), bar];
}

// table shows what each model reached alone, its weight, and all together.
function table(bundle) {
  const row = (name, m, weight) => h("tr", {}, h("th", { scope: "row", text: name }),
    h("td", { text: weight === undefined ? "" : number(weight, 2) }), h("td", { text: number(m["hr@10"], 4) }), h("td", { text: number(m["ndcg@10"], 4) }),
    h("td", { text: m.seconds === undefined ? "" : t("seconds", { s: number(m.seconds, 1) }) }));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("models.reached") }, h("table", {},
    h("thead", {}, h("tr", {}, ["model", "weight", "hr", "ndcg", "time"].map((c) => h("th", { scope: "col", text: t("models.col." + c) })))),
    h("tbody", {}, bundle.models.map((m) => row(m.name, m, m.weight)), row(t("models.together"), bundle))));
}
