// Short messages at the edge of the page; errors stay longer.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

// toast shows a message. action {label, run} adds a button.
export function toast(text, { error = false, action } = {}) {
  const box = h("div", { class: "toast" + (error ? " error" : ""), role: error ? "alert" : false }, h("p", { text }));
  const close = () => box.remove();
  if (action) box.append(h("button", { type: "button", class: "link", text: action.label, onclick: () => (close(), action.run()) }));
  box.append(h("button", { type: "button", class: "tool small", "aria-label": t("close"), onclick: close }, icon("close", 16)));
  const shelf = document.getElementById("toasts");
  shelf.append(box);
  while (shelf.children.length > 3) shelf.firstChild.remove();
  setTimeout(close, error ? 9000 : 5000);
}

// complain shows an error as the server worded it.
export function complain(err) {
  if (err.name === "AbortError") return;
  if (err.code === "offline") toast(t("error.offline"), { error: true });
  else toast(err.message + (err.requestID && err.status >= 500 ? ` (${err.requestID})` : ""), { error: true });
}
