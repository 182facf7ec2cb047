// A server with keys answers 401: the console asks for one, once at a time.
import { h } from "./dom.js";
import { t } from "./i18n.js";

let asking = null;

// askKey resolves to the key given, or "" where the visitor declined. again
// says that the last one was refused.
export function askKey(again) {
  asking ??= open(again).finally(() => (asking = null));
  return asking;
}

function open(again) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", name: "key", required: true, autocomplete: "off", id: "key-input", autofocus: true });
    const dialog = h("dialog", { class: "sheet", "aria-labelledby": "key-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "key-title", text: t("key.title") }),
        h("p", { class: "soft", text: t(again ? "key.again" : "key.text") }),
        h("label", { for: "key-input", text: t("key.label") }), input,
        h("div", { class: "row end" },
          h("button", { type: "button", class: "button quiet", text: t("cancel"), onclick: () => dialog.close("") }),
          h("button", { type: "submit", class: "button", value: "ok", text: t("key.use") }))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "ok" ? input.value.trim() : "");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
