// Small lists of bars: how strongly something is believed.
import { h } from "./dom.js";
import { number } from "./i18n.js";

// bars draws rows {label, weight, note, lang, extra}. Widths are relative to
// the strongest row, or to full where one is given; a weight below 0 leans to
// the left in the colour of aversion.
export function bars(rows, { full, format = (w) => number(w, 2), label } = {}) {
  const most = full ?? Math.max(...rows.map((r) => Math.abs(r.weight)), 1e-9);
  const sided = rows.some((r) => r.weight < 0);
  return h("ul", { class: "bars" + (sided ? " sided" : ""), "aria-label": label }, rows.map((r) => h("li", { class: r.weight < 0 ? "negative" : "" },
    h("span", { class: "label", lang: r.lang, text: r.label }),
    h("span", { class: "track", "aria-hidden": "true" }, h("i", { vars: { "--share": Math.min(1, Math.abs(r.weight) / most) } })),
    h("span", { class: "figure", text: format(r.weight) }),
    r.extra ?? null,
    r.note ? h("span", { class: "note", text: r.note }) : null)));
}

// percent writes a share of 1.
export const percent = (share) => number(share * 100) + " %";
