// One item: what its owner says of it, what the system believes of it, and a
// way to correct that.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { duration, t } from "./i18n.js";
import { kindName, labelName } from "./labels.js";
import { correct, readItem, understanding } from "./api.js";
import { bars, percent } from "./bars.js";
import { frame } from "./frame.js";
import { complain, toast } from "./toast.js";

const facets = ["topics", "emotion", "style", "language", "safety"];

// openItem shows the dialog of a card's item.
export async function openItem(item) {
  const p = item.properties ?? {};
  const believed = h("div", { class: "believed", "aria-live": "polite" }, h("p", { class: "soft", text: t("loading") }));
  const description = h("p", { class: "description", lang: p.language, text: p.description ?? "" });
  const dialog = h("dialog", { class: "sheet wide", "aria-labelledby": "item-title" },
    h("button", { class: "tool close", type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close")),
    h("div", { class: "hero" }, frame(item, false)),
    h("h2", { id: "item-title", lang: p.language, text: p.title ?? item.id }),
    h("p", { class: "byline", text: [kindName(item.kind), p.creator_name, p.duration_ms && duration(p.duration_ms)].filter(Boolean).join(" · ") }),
    description,
    p.tags?.length ? h("p", { class: "chips" }, p.tags.map((tag) => h("span", { class: "chip", text: tag }))) : null,
    item.reasons?.length ? h("div", { class: "why" }, h("h3", { text: t("item.why") }), h("ul", {}, item.reasons.map((r) => h("li", {}, icon("spark", 14), h("span", { text: r.text }))))) : null,
    h("h3", { text: t("item.believed") }), believed);
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  // Answers may come without the long texts; the item itself has them.
  if (!p.description) readItem(item.id).then((it) => (description.textContent = it.description ?? ""), () => {});
  try {
    draw(believed, item.id, await understanding(item.id));
  } catch (err) {
    fill(believed, h("p", { class: "soft", text: err.message }));
  }
}

// openItemByID reads an item that no card showed.
export async function openItemByID(id) {
  try {
    const it = await readItem(id);
    openItem({ id, kind: it.kind, properties: it });
  } catch (err) {
    complain(err);
  }
}

function draw(root, id, u) {
  const known = facets.filter((f) => u[f]?.length);
  fill(root,
    known.length === 0 ? h("p", { class: "soft", text: t("item.nothing") }) : null,
    known.map((f) => h("section", { class: "facet" },
      h("h4", { text: t("facet." + f) }),
      bars(u[f].map((l) => ({
        label: labelName(l.value), weight: l.confidence, note: l.model === "person" ? t("item.person") : l.evidence,
      })), { full: 1, format: percent, label: t("facet." + f) }))),
    editor(id, u, (now) => draw(root, id, now)));
}

// editor corrects the topics; a person's word wins over the model's and stays.
function editor(id, u, done) {
  let topics = u.topics.map((l) => l.value);
  const chips = h("div", { class: "chips" });
  const input = h("input", { id: "topic-input", maxlength: "80", autocomplete: "off", placeholder: t("item.topic.add") });
  const show = () => fill(chips, topics.map((topic) => h("button", {
    class: "chip removable", type: "button", "aria-label": t("item.topic.remove", { topic: labelName(topic) }), onclick: () => {
      topics = topics.filter((x) => x !== topic);
      show();
      input.focus();
    },
  }, h("span", { text: labelName(topic) }), icon("close", 12))));
  const take = () => {
    const topic = input.value.trim();
    if (topic && !topics.includes(topic)) topics.push(topic);
    input.value = "";
    show();
  };
  show();
  return h("details", { class: "editor" }, h("summary", { text: t("item.correct") }),
    h("p", { class: "soft", text: t("item.correct.text") }), chips,
    h("form", {
      class: "row", onsubmit: async (e) => {
        e.preventDefault();
        take();
        try {
          done(await correct(id, { topics }));
          toast(t("item.corrected"));
        } catch (err) {
          complain(err);
        }
      },
    },
    h("label", { class: "hidden", for: "topic-input", text: t("item.topic.add") }), input,
    h("button", { class: "button quiet", type: "button", text: t("item.topic.put"), onclick: () => (take(), input.focus()) }),
    h("button", { class: "button", type: "submit", text: t("item.save") })));
}
