// What the system believes of the viewer, from what, and how to take it back.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ago, number, t } from "./i18n.js";
import { eventName, labelName } from "./labels.js";
import { erase, profile, readItem } from "./api.js";
import { act, onAct, takeBack } from "./acts.js";
import { bars, percent } from "./bars.js";
import { frame } from "./frame.js";
import { openItem, openItemByID } from "./item.js";
import { about, face, peopleRow } from "./people.js";
import { complain, toast } from "./toast.js";
import { recall, remember } from "./tray.js";
import { onViewer, viewer } from "./viewer.js";

// beliefs fills the root and returns how to leave it.
export function beliefs(root) {
  const people = peopleRow();
  const body = h("div", { "aria-live": "polite" });
  fill(root, h("h1", { text: t("beliefs.title") }), h("p", { class: "lead", text: t("beliefs.text") }), people.row, body);
  let ending = new AbortController();
  const load = async () => {
    ending.abort();
    ending = new AbortController();
    const { signal } = ending;
    try {
      const p = await profile(viewer().id, signal);
      await loadTitles(p);
      if (!signal.aborted) draw(body, p, load);
    } catch (err) {
      complain(err);
    }
  };
  load();
  const stops = [onViewer(() => (people.draw(), load())), onAct(load)];
  return () => {
    stops.forEach((stop) => stop());
    ending.abort();
  };
}

// loadTitles reads the items of the profile that no card has shown yet.
async function loadTitles(p) {
  const ids = new Set([...p.interests.map((i) => i.item_id), ...p.recent.slice(0, 30).map((e) => e.item_id)].filter((id) => id && !recall(id)));
  const items = await Promise.all([...ids].slice(0, 40).map(async (id) => {
    try {
      const it = await readItem(id);
      return { id, kind: it.kind, properties: it };
    } catch {
      return null; // the item may be deleted; its id is shown
    }
  }));
  remember(items.filter(Boolean));
}

const titleOf = (id) => recall(id)?.properties?.title ?? id;
const open = (id) => (recall(id) ? openItem(recall(id)) : openItemByID(id));

function draw(body, p, load) {
  const who = viewer();
  const names = new Map(p.creators.map((c) => [c.value, c.name || c.value]));
  const nameOf = (id) => names.get(id) ?? id;
  const facet = (name, rows) => rows.length > 0 && h("section", { class: "panel", "data-facet": name }, h("h2", { text: t("facet." + name) }), bars(rows, { label: t("facet." + name) }));
  const rows = (all) => all.slice(0, 10).map((b) => ({ label: b.name || labelName(b.value), weight: b.weight }));
  fill(body,
    h("section", { class: "panel whois" }, face(who, true),
      h("div", {}, h("p", { class: "name", text: who.name }), h("p", { class: "soft", text: about(who) })),
      h("dl", { class: "counts" }, h("div", {}, h("dt", { text: t("beliefs.events") }), h("dd", { text: number(p.events) })), h("div", {}, h("dt", { text: t("beliefs.seen") }), h("dd", { text: number(p.seen) }))),
      h("button", { class: "button danger", type: "button", onclick: () => confirmErase(who, load) }, icon("trash", 18), t("beliefs.erase"))),
    p.known ? null : h("p", { class: "empty", text: t("beliefs.nothing") }),
    p.interests.length > 0 && h("section", {}, h("h2", { text: t("beliefs.interests") }), h("p", { class: "soft", text: t("beliefs.interests.text") }),
      h("ul", { class: "interests" }, p.interests.map(interest))),
    h("div", { class: "columns" },
      facet("topics", rows(p.topics)), facet("creators", rows(p.creators)), facet("emotion", rows(p.emotion)), facet("style", rows(p.style)), facet("languages", rows(p.languages)),
      p.follows.length > 0 && h("section", { class: "panel" }, h("h2", { text: t("beliefs.follows") }), h("p", { class: "chips" }, p.follows.map((id) => h("button", {
        class: "chip removable", type: "button", "aria-label": t("beliefs.unfollow", { name: nameOf(id) }), title: t("beliefs.unfollow", { name: nameOf(id) }), onclick: () => act("unfollow", null, { creator_id: id }),
      }, h("span", { text: nameOf(id) }), icon("close", 12))))),
      p.muted.length > 0 && h("section", { class: "panel" }, h("h2", { text: t("beliefs.muted") }), h("ul", { class: "rows" }, p.muted.map((m) => muted(m, p, nameOf))))),
    p.recent.length > 0 && h("section", { class: "panel" }, h("h2", { text: t("beliefs.recent") }), h("p", { class: "soft", text: t("beliefs.recent.text") }),
      h("ul", { class: "rows events" }, p.recent.slice(0, 30).map((e) => deed(e, nameOf)))));
}

function interest(i) {
  const item = recall(i.item_id) ?? { id: i.item_id, kind: "", properties: {} };
  return h("li", {}, h("button", { type: "button", class: "interest", onclick: () => open(i.item_id) },
    h("span", { class: "thumb" }, frame(item)),
    h("span", { class: "name", text: i.title || i.item_id }),
    h("span", { class: "soft", text: [(i.topics ?? []).slice(0, 3).map(labelName).join(" · "), t("beliefs.speaks", { n: i.item_ids.length }), ago(i.last)].filter(Boolean).join(" · ") }),
    h("span", { class: "meter", vars: { "--share": i.weight } }, h("i")),
    h("span", { class: "figure", text: percent(i.weight) })));
}

const undo = (event) => h("button", {
  type: "button", class: "link", text: t("beliefs.back"), "aria-label": t("beliefs.back.label", { event: eventName(event.kind), title: event.topic ? labelName(event.topic) : titleOf(event.item_id ?? "") }),
  onclick: async (e) => {
    e.currentTarget.disabled = true;
    if (await takeBack(event)) toast(t("beliefs.taken"));
    else e.target.disabled = false;
  },
});

// muted shows what is held back; the event that said so can be taken back.
function muted(m, p, nameOf) {
  const word = { topic: labelName, creator: nameOf, item: titleOf }[m.scope] ?? String;
  const by = p.recent.find((e) => e.kind === m.kind && e.scope === m.scope && (e.topic ?? e.creator_id ?? e.item_id) !== undefined && { topic: e.topic, creator: e.creator_id, item: e.item_id }[m.scope] === m.value);
  return h("li", {}, h("span", { class: "chip", text: t("scope." + m.scope) }), h("span", { class: "grow", text: word(m.value) }), by ? undo(by) : null);
}

function deed(e, nameOf) {
  const subject = e.topic ? labelName(e.topic) : e.item_id && e.scope !== "creator" ? titleOf(e.item_id) : e.query ?? nameOf(e.creator_id ?? "");
  const target = e.item_id && !e.topic ? h("button", { type: "button", class: "plain grow", text: subject, onclick: () => open(e.item_id) }) : h("span", { class: "grow", text: subject });
  return h("li", { "data-event": e.id, "data-kind": e.kind, "data-item": e.item_id },
    h("span", { class: "kind", text: eventName(e.kind) }), target, h("time", { class: "soft", datetime: e.at, title: new Date(e.at).toLocaleString(), text: ago(e.at) }), undo(e));
}

function confirmErase(who, load) {
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": "erase-title" }, h("form", { method: "dialog" },
    h("h2", { id: "erase-title", text: t("erase.title", { name: who.name }) }), h("p", { class: "soft", text: t("erase.text") }),
    h("div", { class: "row end" },
      h("button", { class: "button quiet", value: "", autofocus: true, text: t("cancel") }),
      h("button", { class: "button danger", value: "ok", text: t("erase.go") }))));
  dialog.addEventListener("close", async () => {
    dialog.remove();
    if (dialog.returnValue !== "ok") return;
    try {
      await erase(who.id);
      toast(t("erase.done", { name: who.name }));
      load();
    } catch (err) {
      complain(err);
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}
