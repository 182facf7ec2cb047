// The row of people one can be.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { t, list } from "./i18n.js";
import { hue, labelName } from "./labels.js";
import { become, everyone, invent, viewer } from "./viewer.js";

// face draws somebody's initial in their own colour.
export const face = (who, big) => h("span", { class: "face" + (big ? " big" : ""), vars: { "--hue": hue(who.id + who.name) }, "aria-hidden": "true", text: [...who.name][0] ?? "?" });

// about says in words who a viewer is.
export function about(who) {
  if (who.invented) return t("viewer.invented");
  return t("viewer.simulated", { topics: list((who.topics ?? []).map(labelName)) });
}

// peopleRow draws the row; arrow keys move in it, Enter or a click chooses.
export function peopleRow() {
  const row = h("div", { class: "people", role: "radiogroup", "aria-label": t("viewer.choose") });
  const draw = () => {
    const now = viewer().id;
    fill(row,
      h("button", { class: "person add", type: "button", onclick: openInvent }, h("span", { class: "face" }, icon("like")), h("span", { class: "name", text: t("viewer.invent") })),
      everyone().map((who) => h("button", {
        class: "person", type: "button", role: "radio", "aria-checked": String(who.id === now), tabindex: who.id === now ? "0" : "-1", "data-viewer": who.id,
        title: about(who), onclick: () => become(who.id),
      }, face(who), h("span", { class: "name", text: who.name }))));
    const on = row.querySelector("[aria-checked=true]");
    // Only the row scrolls: scrollIntoView would move the page as well.
    if (on) requestAnimationFrame(() => { row.scrollLeft = Math.max(0, on.offsetLeft - row.clientWidth / 2 + on.offsetWidth / 2); });
  };
  row.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!step || e.target.getAttribute("role") !== "radio") return;
    e.preventDefault();
    const all = [...row.querySelectorAll("[role=radio]")];
    all[(all.indexOf(e.target) + step + all.length) % all.length].focus();
  });
  draw();
  return { row, draw };
}

function openInvent() {
  const input = h("input", { id: "invent-name", name: "name", required: true, maxlength: "60", autocomplete: "off", autofocus: true, placeholder: t("invent.placeholder") });
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": "invent-title" },
    h("form", { method: "dialog" },
      h("h2", { id: "invent-title", text: t("invent.title") }),
      h("p", { class: "soft", text: t("invent.text") }),
      h("label", { for: "invent-name", text: t("invent.name") }), input,
      h("div", { class: "row end" },
        h("button", { type: "button", class: "button quiet", text: t("cancel"), onclick: () => dialog.close("") }),
        h("button", { type: "submit", class: "button", value: "ok", text: t("invent.go") }))));
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue === "ok" && input.value.trim()) invent(input.value);
  });
  document.body.append(dialog);
  dialog.showModal();
}
