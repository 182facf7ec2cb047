// Search as one types, in any language that the encoder reads.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { locale, number, t } from "./i18n.js";
import { cardFields, search as ask } from "./api.js";
import { act, onAct } from "./acts.js";
import { makeGrid } from "./grid.js";
import { complain } from "./toast.js";
import { onlyExample, remember } from "./tray.js";
import { session, viewer } from "./viewer.js";

const wait = 160; // ms after the last key

// search fills the root; q in the parameters is asked at once.
export function search(root, parameters) {
  const input = h("input", { id: "query", type: "search", name: "q", maxlength: "500", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", placeholder: t("search.placeholder"), value: parameters.get("q") ?? "" });
  const status = h("p", { class: "change", role: "status", "aria-live": "polite" });
  const grid = makeGrid(t("search.grid"), { similar: onlyExample });
  const ideas = h("p", { class: "chips ideas" }, h("span", { class: "soft", text: t("search.try") }),
    t("search.ideas").split("|").map((idea) => h("button", { class: "chip", type: "button", text: idea, onclick: () => { input.value = idea; run(true); input.focus(); } })));
  fill(root, h("h1", { text: t("search.title") }),
    h("form", { class: "query", role: "search", onsubmit: (e) => { e.preventDefault(); run(true); } }, icon("search", 22), h("label", { class: "hidden", for: "query", text: t("search.title") }), input),
    ideas, status, grid.element);

  let timer = 0;
  let ending = new AbortController();
  const run = async (sure) => {
    clearTimeout(timer);
    ending.abort();
    const query = input.value.trim();
    history.replaceState(null, "", query ? "#/search?" + new URLSearchParams({ q: query }) : "#/search");
    if (!query) {
      grid.show([]);
      return fill(status);
    }
    ending = new AbortController();
    const { signal } = ending;
    const start = performance.now();
    try {
      const slate = await ask({ query, user_id: viewer().id, session_id: session, count: 24, include: cardFields, context: { locale: locale() }, exclude: { seen: "none" } }, signal);
      remember(slate.items);
      grid.show(slate.items);
      fill(status, h("span", { text: slate.items.length ? t("search.found", { n: slate.items.length }) : t("search.none") }), h("span", { class: "ms", text: t("ms", { ms: number(performance.now() - start) }) }));
      if (sure) act("search", null, { query }); // a search that was meant, not each letter
    } catch (err) {
      complain(err);
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  });
  if (input.value) run(false);
  // The page's heading takes the focus first; the field is what one came for.
  queueMicrotask(() => input.focus({ preventScroll: true }));
  const stop = onAct(({ event }) => event.kind === "not_interested" && run(false));
  return () => {
    clearTimeout(timer);
    ending.abort();
    stop();
  };
}
