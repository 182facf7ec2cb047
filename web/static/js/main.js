// The console: one page, its views by the hash, a viewer and a language.
import { fill, h } from "./dom.js";
import { drawIcons } from "./icons.js";
import { language, setLanguage, t, translate } from "./i18n.js";
import { loadViewers } from "./viewer.js";
import { showTheme, wireTheme } from "./theme.js";
import { wireKeys } from "./keys.js";
import { redrawPlayer } from "./player.js";
import { feed } from "./feed.js";
import { search } from "./search.js";
import { similar } from "./similar.js";
import { beliefs } from "./beliefs.js";
import { imports } from "./imports.js";
import { models } from "./models.js";
import { measures } from "./measures.js";

const views = { "": feed, search, similar, beliefs, imports, models, measures };
const root = document.getElementById("view");
let leave = null;
let shown = null;

// show draws the view that the hash names.
function show(focus) {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parameters = new URLSearchParams(query);
  const view = views[path] ?? feed;
  if (view === shown && leave?.update) return leave.update(parameters);
  leave?.();
  shown = view;
  root.className = "view-" + (view.name || "feed");
  leave = view(root, parameters);
  const title = root.querySelector("h1").textContent;
  document.title = view === feed ? "upnext" : title + " · upnext";
  for (const a of document.querySelectorAll(".tabs a[data-view]")) {
    if (a.dataset.view === view.name) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  if (!focus) return;
  scrollTo(0, 0);
  if (!root.contains(document.activeElement)) root.focus({ preventScroll: true });
}

// draw words everything in the language that holds.
function draw() {
  translate(document);
  const button = document.getElementById("language");
  button.textContent = language === "zh" ? "EN" : "中文";
  button.lang = language === "zh" ? "en" : "zh-Hans";
  showTheme(document.getElementById("theme"));
  leave?.();
  leave = shown = null;
  show(false);
  redrawPlayer();
}

drawIcons(document);
wireTheme(document.getElementById("theme"));
wireKeys(document.getElementById("keys"));
document.getElementById("language").addEventListener("click", () => {
  setLanguage(language === "zh" ? "en" : "zh");
  draw();
});
// The skip link is a place in the page and no view.
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault();
  root.focus();
});
fill(root, h("p", { class: "empty", text: t("loading") }));
await loadViewers();
addEventListener("hashchange", () => show(true));
draw();
