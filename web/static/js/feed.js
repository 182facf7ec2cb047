// The feed: a page for the viewer that changes with everything they do.
import { fill, h, stored } from "./dom.js";
import { icon } from "./icons.js";
import { list, locale, number, t } from "./i18n.js";
import { eventName, labelName } from "./labels.js";
import { cardFields, pages, recommend } from "./api.js";
import { onAct } from "./acts.js";
import { makeGrid } from "./grid.js";
import { makeRows } from "./rows.js";
import { about, face, peopleRow } from "./people.js";
import { onViewer, session, viewer } from "./viewer.js";
import { complain } from "./toast.js";
import { onlyExample, remember } from "./tray.js";

const count = 24;
const inRow = 12;

// feed fills the root and returns how to leave it.
export function feed(root) {
  const people = peopleRow();
  const who = h("div", { class: "who" });
  const status = h("p", { class: "change", role: "status", "aria-live": "polite" });
  const slider = h("input", { id: "diversity", type: "range", min: "0", max: "1", step: "0.1", value: stored("upnext.diversity") ?? "0.3" });
  const value = h("output", { for: "diversity" });
  const hooks = { similar: onlyExample };
  const place = h("div");
  const rowed = () => toggle.getAttribute("aria-pressed") === "true";
  const toggle = h("button", { class: "button quiet", type: "button", "data-rows": true, "aria-pressed": String(stored("upnext.rows") === "yes"), onclick: () => {
    toggle.setAttribute("aria-pressed", String(!rowed()));
    stored("upnext.rows", rowed() ? "yes" : "no");
    lay();
    ask(null);
  } }, icon("rows", 16), t("feed.rows"));
  let grid;
  const lay = () => {
    grid = rowed() ? makeRows(hooks) : makeGrid(t("feed.grid"), hooks);
    fill(place, grid.element);
    grid.waiting(count);
  };
  lay();
  fill(root,
    h("h1", { class: "hidden", text: t("nav.feed") }),
    people.row,
    h("div", { class: "bar" }, who,
      h("div", { class: "diversity" }, h("label", { for: "diversity", text: t("feed.diversity") }), slider, value), toggle),
    status, place, h("p", { class: "foot soft", text: t("feed.foot") }));

  let ending = new AbortController();
  let retry = 0;
  const ask = async (because) => {
    ending.abort();
    ending = new AbortController();
    clearTimeout(retry);
    const { signal } = ending;
    const start = performance.now();
    const into = grid; // a switch meanwhile asks again
    const wanted = { user_id: viewer().id, session_id: session, count: rowed() ? inRow : count, include: cardFields, context: { locale: locale() }, diversity: Number(slider.value) };
    let answer;
    try {
      answer = await (rowed() ? pages : recommend)(wanted, signal);
    } catch (err) {
      if (err.name === "AbortError") return;
      if (err.status !== 503 && err.code !== "offline") {
        if (!grid.element.querySelector("[data-item]")) fill(grid.element, h("p", { class: "empty", text: err.message }));
        return complain(err);
      }
      // The server still fills its index, or restarts: it is worth waiting for.
      fill(status, icon("clock", 16), t(err.status === 503 ? "feed.starting" : "error.offline"));
      retry = setTimeout(() => ask(because), 1000);
      return;
    }
    const items = answer.items ?? answer.rows.flatMap((row) => row.items);
    remember(items);
    const change = into.show(answer.rows ?? items);
    const took = performance.now() - start;
    fill(status, words(because, change, took, answer));
    if (items.length === 0) fill(into.element, h("p", { class: "empty", text: t("feed.empty") }));
  };

  const greet = () => {
    const now = viewer();
    fill(who, face(now, true), h("div", {}, h("p", { class: "name", text: now.name }), h("p", { class: "soft", text: about(now) })));
  };
  const anew = () => {
    greet();
    people.draw();
    grid.waiting(count);
    ask(null);
  };
  const setDiversity = () => {
    value.textContent = number(slider.value, 1);
    slider.style.setProperty("--at", slider.value * 100 + "%");
  };
  slider.addEventListener("input", setDiversity);
  slider.addEventListener("change", () => {
    stored("upnext.diversity", slider.value);
    ask({ slider: true });
  });
  setDiversity();
  anew();
  const stops = [onViewer(anew), onAct((done) => ask(done))];
  return () => {
    stops.forEach((stop) => stop());
    ending.abort();
    clearTimeout(retry);
  };
}

// words says what changed and how long it took, as measured in this page.
function words(because, change, took, slate) {
  const parts = [];
  if (because?.event) {
    const total = performance.now() - because.start;
    parts.push(icon("check", 16), h("strong", { text: deed(because) }), h("span", { text: delta(change) }),
      h("span", { class: "ms", title: t("feed.ms.title"), text: t("feed.ms", { total: number(total), event: number(because.took), answer: number(took) }) }));
  } else {
    parts.push(icon("spark", 16), h("span", { text: because?.slider ? delta(change) : slate.rows ? t("feed.rows.answer", { n: slate.rows.length }) : t("feed.answer", { n: slate.items.length }) }),
      h("span", { class: "ms", text: t("feed.answered", { ms: number(took), server: number(slate.timings_ms?.total, 1) }) }));
  }
  const degraded = slate.degraded ?? slate.rows.flatMap((row) => row.degraded);
  if (degraded.length) parts.push(h("span", { class: "warn", text: t("feed.degraded", { stages: list([...new Set(degraded.map((d) => d.stage))]) }) }));
  return parts;
}

function deed({ event, title }) {
  const about = event.topic ? labelName(event.topic) : title;
  return about ? t("feed.deed", { event: eventName(event.kind), title: about }) : eventName(event.kind);
}

function delta({ added, gone, moved }) {
  if (!added.length && !gone.length && !moved) return t("feed.same");
  return t("feed.delta", { added: added.length, gone: gone.length, moved });
}
