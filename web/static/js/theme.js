// The theme: as the system has it, or light or dark by choice.
import { stored } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

const order = ["auto", "light", "dark"];
const icons = { auto: "auto", light: "sun", dark: "moon" };

const current = () => document.documentElement.dataset.theme ?? "auto";

// showTheme draws the button for the theme that holds.
export function showTheme(button) {
  const now = current();
  button.replaceChildren(icon(icons[now]));
  const label = t("theme." + now);
  button.setAttribute("aria-label", label);
  button.title = label;
}

// wireTheme lets the button step through the themes.
export function wireTheme(button) {
  showTheme(button);
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    stored("upnext.theme", next);
    showTheme(button);
  });
}
