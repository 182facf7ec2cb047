// The tray: items collected as examples and counter-examples. It is the hash
// of the similar page, so a collection can be sent as a link.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { frame } from "./frame.js";
import { toast } from "./toast.js";

const known = new Map(); // items by id, for their pictures

// remember keeps what cards showed, so that the tray can draw an example.
export const remember = (items) => items.forEach((item) => known.set(item.id, item));

// recall returns an item that some card showed, if any did.
export const recall = (id) => known.get(id);

let tray = { like: [], unlike: [] };

// readTray takes the examples from the parameters of the hash.
export function readTray(parameters) {
  tray = { like: parameters.getAll("like"), unlike: parameters.getAll("unlike") };
  return tray;
}

const go = () => {
  const parameters = new URLSearchParams([...tray.like.map((id) => ["like", id]), ...tray.unlike.map((id) => ["unlike", id])]);
  location.hash = "#/similar?" + parameters;
};

// onlyExample starts a new collection with one item.
export function onlyExample(item) {
  known.set(item.id, item);
  tray = { like: [item.id], unlike: [] };
  go();
}

// addExample puts an item on one side of the collection.
export function addExample(item, positive) {
  known.set(item.id, item);
  drop(item.id);
  tray[positive ? "like" : "unlike"].push(item.id);
  if (location.hash.startsWith("#/similar")) return go();
  toast(t(positive ? "tray.added" : "tray.counted", { n: tray.like.length + tray.unlike.length }), tray.like.length ? { action: { label: t("tray.open"), run: go } } : {});
}

function drop(id) {
  for (const side of ["like", "unlike"]) tray[side] = tray[side].filter((x) => x !== id);
}

// drawTray shows both sides; each example can be taken out or change sides.
export function drawTray() {
  const side = (name, positive) => h("div", { class: "side " + name },
    h("h3", {}, icon(positive ? "like" : "minus", 16), t("tray." + name)),
    tray[name].length === 0 ? h("p", { class: "soft", text: t("tray." + name + ".empty") }) : null,
    h("ul", {}, tray[name].map((id) => example(id, positive))));
  return h("div", { class: "tray" }, side("like", true), side("unlike", false));
}

function example(id, positive) {
  const item = known.get(id) ?? { id, kind: "", properties: {} };
  const title = item.properties?.title ?? id;
  return h("li", { class: "example" },
    h("span", { class: "thumb" }, frame(item)), h("span", { class: "name", text: title, lang: item.properties?.language }),
    h("button", { type: "button", class: "tool small", "aria-label": t(positive ? "tray.turn.unlike" : "tray.turn.like", { title }), title: t(positive ? "menu.counter" : "menu.example"), onclick: () => addExample(item, !positive) }, icon(positive ? "minus" : "like", 16)),
    h("button", { type: "button", class: "tool small", "aria-label": t("tray.remove", { title }), title: t("remove"), onclick: () => (drop(id), go()) }, icon("close", 16)));
}
