// More like these, less like those: the tray and what is near it.
import { fill, h } from "./dom.js";
import { locale, number, t } from "./i18n.js";
import { cardFields, readItem, similar as ask } from "./api.js";
import { onAct } from "./acts.js";
import { makeGrid } from "./grid.js";
import { complain } from "./toast.js";
import { addExample, drawTray, onlyExample, readTray, recall, remember } from "./tray.js";
import { session, viewer } from "./viewer.js";

// similar fills the root for the examples in the parameters.
export function similar(root, parameters) {
  const tray = h("div");
  const status = h("p", { class: "change", role: "status", "aria-live": "polite" });
  const grid = makeGrid(t("similar.grid"), { similar: (item) => (tray.isConnected ? addExample(item, true) : onlyExample(item)) });
  fill(root, h("h1", { text: t("similar.title") }), h("p", { class: "lead", text: t("similar.text") }), tray, status, grid.element);
  let ending = new AbortController();
  const update = async (next) => {
    const { like, unlike } = readTray(next);
    fill(tray, drawTray());
    ending.abort();
    ending = new AbortController();
    const { signal } = ending;
    if (like.length === 0) {
      grid.show([]);
      fill(status);
      return;
    }
    loadExamples([...like, ...unlike]).then((found) => found && !signal.aborted && fill(tray, drawTray()));
    const start = performance.now();
    try {
      const slate = await ask({
        item_ids: like, negative_item_ids: unlike.length ? unlike : undefined, user_id: viewer().id, session_id: session,
        count: 24, include: cardFields, context: { locale: locale() }, exclude: { seen: "none" },
      }, signal);
      remember(slate.items);
      grid.show(slate.items);
      fill(status, h("span", { text: t("similar.found", { n: slate.items.length }) }), h("span", { class: "ms", text: t("ms", { ms: number(performance.now() - start) }) }));
    } catch (err) {
      complain(err);
    }
  };
  update(parameters);
  const stop = onAct(({ event }) => event.kind === "not_interested" && update(new URLSearchParams(location.hash.split("?")[1])));
  return Object.assign(() => (stop(), ending.abort()), { update });
}

// loadExamples reads items that a link names and no card has shown.
async function loadExamples(ids) {
  const missing = ids.filter((id) => !recall(id));
  const items = await Promise.all(missing.map(async (id) => {
    try {
      const it = await readItem(id);
      return { id, kind: it.kind, properties: it };
    } catch {
      return null; // the search itself says what is wrong with an unknown id
    }
  }));
  remember(items.filter(Boolean));
  return items.some(Boolean);
}
