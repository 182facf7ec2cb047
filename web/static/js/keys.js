// Keys that work anywhere on the page, and the list of all of them.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

const views = { 1: "#/", 2: "#/search", 3: "#/beliefs", 4: "#/imports", 5: "#/models", 6: "#/measures" };

const help = [
  ["/", "keys.search"], ["1 – 6", "keys.pages"], ["← ↑ ↓ →", "keys.move"], ["Enter", "keys.open"], ["p", "act.play"], ["l", "act.like"], ["s", "act.save"],
  ["x", "act.hide"], ["m", "act.similar"], ["f", "keys.follow"], ["o", "act.more"], ["?", "keys.title"],
];

// wireKeys listens for the keys; letters of cards are the grid's.
export function wireKeys(button) {
  button.addEventListener("click", openKeys);
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input:not([type=range]), textarea, select, dialog, [popover]")) return;
    if (e.key === "/") location.hash = "#/search";
    else if (e.key === "?") openKeys();
    else if (views[e.key]) location.hash = views[e.key];
    else return;
    e.preventDefault();
    if (e.key === "/") document.getElementById("query")?.focus();
  });
}

function openKeys() {
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": "keys-title" },
    h("button", { class: "tool close", type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close")),
    h("h2", { id: "keys-title", text: t("keys.title") }),
    h("dl", { class: "keys" }, help.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", { text: key })), h("dd", { text: t(what) })))),
    h("p", { class: "soft", text: t("keys.note") }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
