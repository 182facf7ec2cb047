// One import: its state, its stages, what failed and why.
import { fill, h } from "./dom.js";
import { ago, number, t } from "./i18n.js";
import { cancelImport, failures } from "./api.js";
import { complain } from "./toast.js";

const alive = (run) => run.state === "running" || run.state === "queued";

// makeRun returns {element, update}; look is called after a change.
export function makeRun(first, look) {
  let run = first;
  const state = h("span", { class: "state" });
  const bar = h("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": t("run.progress", { source: run.source }) }, h("i"));
  const facts = h("dl", { class: "counts" });
  const stages = h("div");
  const causes = h("p", { class: "chips" });
  const dead = h("div", { class: "dead", hidden: true });
  const stop = h("button", {
    class: "button quiet", type: "button", text: t("run.cancel"), onclick: async () => {
      try {
        await cancelImport(run.id);
        look();
      } catch (err) {
        complain(err);
      }
    },
  });
  const show = h("button", { class: "button quiet", type: "button", "aria-expanded": "false", onclick: () => toggle(run, dead, show) });
  const problem = h("p", { class: "warn" });
  const element = h("article", { class: "panel run", "data-import": run.id },
    h("header", {}, h("h3", { text: run.source }), state, h("span", { class: "soft when" }), stop),
    bar, problem, facts, stages, causes, show, dead);

  const update = (next) => {
    run = next;
    const taken = run.created + run.updated + run.unchanged + run.failed;
    const share = run.state === "succeeded" ? 1 : run.total ? Math.min(1, taken / run.total) : 0;
    element.dataset.state = run.state;
    state.textContent = t("state." + run.state);
    element.querySelector(".when").textContent = `${t("format." + run.format)} · ${ago(run.started_at ?? run.queued_at)}`;
    bar.setAttribute("aria-valuenow", Math.round(share * 100));
    bar.style.setProperty("--share", share);
    stop.hidden = !alive(run);
    problem.hidden = !run.error;
    problem.textContent = run.error ?? "";
    fill(facts, ["total", "created", "updated", "unchanged", "missing", "failed", "events"].filter((f) => run[f] > 0 || f === "total" || f === "failed").map((f) => fact(t("run." + f), number(run[f]), f)),
      fact(t("run.rate"), t("run.persecond", { n: number(run.items_per_second, 1) }), "rate"));
    fill(stages, run.stages.length ? table(run) : []);
    fill(causes, Object.entries(run.causes ?? {}).map(([cause, n]) => h("span", { class: "chip bad", text: `${number(n)} × ${cause}` })));
    show.hidden = run.failed === 0;
    show.textContent = t(dead.hidden ? "run.failures" : "run.failures.hide", { n: number(run.failed) });
  };
  return { element, update };
}

const fact = (label, value, name) => h("div", { "data-fact": name }, h("dt", { text: label }), h("dd", { text: value }));

// table shows the stages; the bars are their shares of the busy time.
function table(run) {
  const busiest = Math.max(1, ...run.stages.map((s) => s.busy_ms));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("run.stages") }, h("table", {},
    h("thead", {}, h("tr", {}, ["stage", "done", "failed", "busy"].map((c) => h("th", { scope: "col", text: t("run.col." + c) })))),
    h("tbody", {}, run.stages.map((s) => h("tr", {},
      h("th", { scope: "row", text: t("stage." + s.name) }), h("td", { text: number(s.done) }), h("td", { class: s.failed ? "bad" : "", text: number(s.failed) }),
      h("td", { class: "busy" }, h("span", { class: "track" }, h("i", { vars: { "--share": s.busy_ms / busiest } })), h("span", { text: s.busy_ms >= 1000 ? t("seconds", { s: number(s.busy_ms / 1000, 1) }) : t("ms", { ms: number(s.busy_ms) }) })))))));
}

async function toggle(run, dead, button) {
  dead.hidden = !dead.hidden;
  button.setAttribute("aria-expanded", String(!dead.hidden));
  button.textContent = t(dead.hidden ? "run.failures" : "run.failures.hide", { n: number(run.failed) });
  if (dead.hidden) return dead.replaceChildren();
  const body = h("tbody");
  const more = h("button", { class: "link", type: "button", text: t("run.more"), hidden: true });
  let after = 0;
  const load = async () => {
    try {
      const page = await failures(run.id, after);
      body.append(...page.failures.map((f) => h("tr", {},
        h("td", { class: "key" }, h("span", { text: f.key || f.item_id || "–" }), f.line ? h("span", { class: "soft", text: " " + t("run.line", { n: f.line }) }) : null),
        h("td", { text: t("stage." + f.stage) }), h("td", {}, h("span", { class: "chip bad", text: f.cause })), h("td", { text: f.detail }))));
      after = page.next_after ?? 0;
      more.hidden = !page.next_after;
    } catch (err) {
      complain(err);
    }
  };
  more.addEventListener("click", load);
  fill(dead, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("run.dead") }, h("table", {},
    h("thead", {}, h("tr", {}, ["key", "stage", "cause", "detail"].map((c) => h("th", { scope: "col", text: t("run.col." + c) })))), body)), more);
  await load();
}
