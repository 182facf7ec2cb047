// Models: train them, watch their curves, choose which bundle answers.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ago, number, t } from "./i18n.js";
import { bundles as readBundles, cancelTraining, promote, rollback, train, trainings } from "./api.js";
import { makeTraining } from "./training.js";
import { complain, toast } from "./toast.js";

const fast = 500; // ms between looks while something runs
const slow = 4000;

// models fills the root and returns how to leave it.
export function models(root) {
  const list = h("div", { class: "bundles" });
  const runs = h("div", { class: "runs" });
  fill(root, h("h1", { text: t("models.title") }), h("p", { class: "lead", text: t("models.text") }),
    h("button", { class: "button train", type: "button", onclick: () => act(() => train({}), "models.started") }, icon("spark", 18), t("models.train")),
    h("h2", { text: t("models.bundles") }), list, h("h2", { text: t("models.latest") }), runs);

  const drawn = new Map();
  const ending = new AbortController();
  let timer = 0;
  const act = async (what, said) => {
    try {
      await what();
      toast(t(said));
    } catch (err) {
      complain(err);
    }
    look();
  };
  const look = async () => {
    clearTimeout(timer);
    let all = [];
    try {
      all = (await trainings(ending.signal)).runs;
      draw(await readBundles(ending.signal));
    } catch (err) {
      if (err.name === "AbortError") return;
      complain(err);
      timer = setTimeout(look, slow);
      return;
    }
    for (const run of all) {
      if (!drawn.has(run.id)) drawn.set(run.id, makeTraining(run, () => act(() => cancelTraining(run.id), "models.cancelled")));
      drawn.get(run.id).update(run);
    }
    const order = all.map((run) => drawn.get(run.id).element);
    if (order.some((e, i) => runs.children[i] !== e) || runs.children.length !== order.length) fill(runs, order.length ? order : h("p", { class: "empty", text: t("models.none") }));
    const running = all.some((run) => run.state === "running" || run.state === "queued");
    timer = setTimeout(look, document.hidden || !running ? slow : fast);
  };
  let shown = "";
  const draw = ({ bundles, held }) => {
    const now = JSON.stringify([bundles, held]);
    if (now === shown) return; // what has the focus keeps it
    shown = now;
    const former = bundles.some((b) => b.former);
    fill(list, held ? h("p", { class: "warn", text: t("models.held") }) : null, bundles.toReversed().map((b) => h("p", { class: "bundle", "data-bundle": b.version, "data-in-use": String(b.in_use) },
      h("span", { text: ago(b.created_at) }), h("span", { class: "soft", text: t("models.made", { viewers: number(b.viewers), items: number(b.items), acts: number(b.acts) }) }),
      h("b", { text: "NDCG@10 " + number(b["ndcg@10"], 4) }),
      b.in_use ? h("span", { class: "state", text: t("models.inuse") }) : h("button", { class: "button quiet", type: "button", text: t("models.promote"), onclick: () => act(() => promote(b.version), "models.promoted") }),
      b.in_use && former ? h("button", { class: "button quiet", type: "button", text: t("models.rollback"), onclick: () => act(rollback, "models.promoted") }) : null)));
  };
  look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
