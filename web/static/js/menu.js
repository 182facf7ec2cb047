// The menu of a card: what does not fit into its row of buttons.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { labelName } from "./labels.js";
import { act } from "./acts.js";
import { addExample } from "./tray.js";
import { openItem } from "./item.js";

// openMenu shows it beside the button that asked.
export function openMenu(button, item) {
  const p = item.properties ?? {};
  const close = (focus) => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    if (focus && button.isConnected) button.focus();
  };
  const entry = (name, label, run) => h("button", { type: "button", role: "menuitem", tabindex: "-1", "data-menu": name, onclick: () => (close(true), run()) }, icon(name), h("span", { text: label }));
  const menu = h("div", { class: "menu", role: "menu", popover: "auto", "aria-label": p.title ?? item.id },
    p.creator_id && entry("follow", t("menu.follow", { name: p.creator_name ?? p.creator_id }), () => act("follow", item, { creator_id: p.creator_id })),
    entry("like", t("menu.example"), () => addExample(item, true)),
    entry("minus", t("menu.counter"), () => addExample(item, false)),
    entry("eye", t("menu.understanding"), () => openItem(item)),
    h("p", { class: "head", role: "presentation", text: t("menu.not") }),
    entry("hide", t("menu.not.item"), () => act("not_interested", item, { scope: "item" })),
    p.creator_id && entry("user", t("menu.not.creator", { name: p.creator_name ?? p.creator_id }), () => act("not_interested", item, { scope: "creator", creator_id: p.creator_id })),
    (p.topics ?? []).slice(0, 3).map((topic) => {
      const e = entry("topic", t("menu.not.topic", { topic: labelName(topic) }), () => act("not_interested", item, { scope: "topic", topic }));
      e.dataset.topic = topic;
      return e;
    }));
  menu.addEventListener("toggle", (e) => e.newState === "closed" && menu.isConnected && close(menu.contains(document.activeElement)));
  menu.addEventListener("keydown", (e) => {
    const all = [...menu.querySelectorAll("[role=menuitem]")];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
    if (e.key === "Tab" || e.key === "Escape") return e.preventDefault(), close(true);
    if (to === undefined) return;
    e.preventDefault();
    all.at(to % all.length).focus();
  });
  // It lives in the card's dialog or body: top layer either way.
  (button.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  button.setAttribute("aria-expanded", "true");
  place(menu, button.getBoundingClientRect());
  menu.querySelector("[role=menuitem]").focus();
}

// place puts the menu where it fits: below or above, flush with the button.
function place(menu, at) {
  const box = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - box.width, innerWidth - box.width - 8));
  const below = at.bottom + 6 + box.height < innerHeight;
  menu.style.left = left + "px";
  menu.style.top = Math.max(8, below ? at.bottom + 6 : at.top - box.height - 6) + "px";
}
