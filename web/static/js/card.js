// A card: one recommended item, why it is there, and what can be done with it.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { duration, t } from "./i18n.js";
import { kindName, labelName } from "./labels.js";
import { frame } from "./frame.js";
import { act } from "./acts.js";
import { openMenu } from "./menu.js";
import { openItem } from "./item.js";
import { play } from "./player.js";

const byline = (p) => [p.creator_name, p.topics?.slice(0, 2).map(labelName).join(" · ")].filter(Boolean);

// makeCard draws an item. hooks.similar(item) is asked for more like it.
export function makeCard(item, hooks) {
  const p = item.properties ?? {};
  const id = "t-" + (makeCard.count = (makeCard.count ?? 0) + 1);
  const card = h("article", { class: "card", "aria-labelledby": id, "data-item": item.id, "data-topics": (p.topics ?? []).join("|") });
  card.item = item;
  const button = (name, label, run, extra = "") => h("button", { type: "button", class: "tool " + extra, "data-act": name, "aria-label": label, title: label, onclick: run }, icon(name));
  fill(card,
    h("button", { class: "frame", type: "button", tabindex: "-1", "aria-label": t("card.play", { title: p.title ?? item.id }), onclick: () => play(item) },
      frame(item, item.rank > 8),
      h("span", { class: "badge" }, icon(item.kind, 14), kindName(item.kind)),
      p.duration_ms ? h("span", { class: "badge time", text: duration(p.duration_ms) }) : null,
      h("span", { class: "over" }, icon("play", 26))),
    h("div", { class: "words" },
      h("h3", { id }, h("button", { type: "button", class: "title", lang: p.language, text: p.title ?? item.id, onclick: () => openItem(item) })),
      h("p", { class: "byline", text: byline(p).join(" · ") }),
      h("p", { class: "reason" })),
    h("div", { class: "acts" },
      button("play", t("act.play"), () => play(item)),
      button("heart", t("act.like"), (e) => { e.currentTarget.classList.add("on"); act("like", item); }),
      button("save", t("act.save"), (e) => { e.currentTarget.classList.add("on"); act("save", item); }),
      button("similar", t("act.similar"), () => hooks.similar(item)),
      h("span", { class: "gap" }),
      button("hide", t("act.hide"), () => act("not_interested", item, { scope: "item" })),
      button("more", t("act.more"), (e) => openMenu(e.currentTarget, item, hooks))));
  card.querySelector("[data-act=more]").setAttribute("aria-haspopup", "menu");
  updateCard(card, item);
  return card;
}

// updateCard gives a card that stays its place and reason in the new answer.
export function updateCard(card, item) {
  card.item.rank = item.rank;
  card.item.token = item.token;
  card.item.reasons = item.reasons;
  const reason = item.reasons?.[0]?.text;
  const line = card.querySelector(".reason");
  fill(line, reason ? [icon("spark", 14), h("span", { text: reason })] : []);
  line.title = (item.reasons ?? []).map((r) => r.text).join("\n");
}

// cardKey does what a letter asks of a card; false where it means nothing.
export function cardKey(key, card, hooks) {
  const item = card.item;
  const more = card.querySelector("[data-act=more]");
  const run = {
    p: () => play(item), l: () => act("like", item), s: () => act("save", item), x: () => act("not_interested", item, { scope: "item" }),
    m: () => hooks.similar(item), f: () => item.properties?.creator_id && act("follow", item, { creator_id: item.properties.creator_id }),
    i: () => openItem(item), o: () => openMenu(more, item, hooks),
  }[key];
  if (!run) return false;
  run();
  return true;
}
