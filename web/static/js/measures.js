// Measures: how what was shown does, by scenario, source, position or kind, with
// what it may be by chance, and from hour to hour.
import { fill, h, stored } from "./dom.js";
import { locale, number, t } from "./i18n.js";
import { metrics } from "./api.js";
import { percent } from "./bars.js";
import { curve } from "./curve.js";
import { complain } from "./toast.js";
import { kindName } from "./labels.js";

const every = 5000; // ms between looks
const parts = ["scenario", "source", "position", "kind"];
const spans = { day: { hours: 24, interval: "hour" }, month: { hours: 30 * 24, interval: "day" } };
const shares = ["ctr", "conversion_rate", "completion_rate", "valid_view_rate"];
const drawn = 4; // lines a chart: the values that were shown most

// measures fills the root and returns how to leave it.
export function measures(root) {
  const choose = (name, values) => {
    const select = h("select", { id: "by-" + name, onchange: () => (stored("upnext.measures." + name, select.value), look()) },
      values.map((v) => h("option", { value: v, text: t("measures." + v) })));
    const before = stored("upnext.measures." + name);
    if (values.includes(before)) select.value = before;
    return { select, field: h("div", { class: "field" }, h("label", { for: "by-" + name, text: t("measures." + name) }), select) };
  };
  const by = choose("by", parts);
  const span = choose("span", Object.keys(spans));
  const body = h("div", { class: "measures" });
  fill(root, h("h1", { text: t("measures.title") }), h("p", { class: "lead", text: t("measures.text") }),
    h("div", { class: "choice" }, by.field, span.field), body);

  let ending = new AbortController();
  let timer = 0;
  let shown = "";
  const look = async () => {
    clearTimeout(timer);
    ending.abort();
    ending = new AbortController();
    const { signal } = ending;
    const { hours, interval } = spans[span.select.value];
    const asked = { by: by.select.value, from: new Date(Date.now() - hours * 3600e3).toISOString() };
    try {
      const [all, course] = await Promise.all([metrics(asked, signal), metrics({ ...asked, interval }, signal)]);
      const now = JSON.stringify([all.rows, course.rows, asked.by, interval]);
      if (now !== shown) draw(body, all.rows, course.rows, asked.by, interval);
      shown = now; // what has the focus keeps it
    } catch (err) {
      if (err.name === "AbortError") return;
      complain(err);
    }
    timer = setTimeout(look, every);
  };
  look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

function draw(body, all, course, by, interval) {
  if (all.length === 0) return fill(body, h("p", { class: "empty", text: t("measures.none") }));
  const rows = all.toSorted((a, b) => (by === "position" ? a.value.localeCompare(b.value) : b.impressions - a.impressions));
  fill(body, h("section", { class: "panel" }, h("h2", { text: t("measures.of." + by) }), table(rows, by)),
    h("div", { class: "charts" }, [...shares, "watch_seconds"].map((share) => chart(share, rows, course, by, interval))));
}

// name is a value in words: scenarios, sources and positions go by the API's names.
const name = (by, value) => (by === "kind" && value !== "unknown" ? kindName(value) : value);

function table(rows, by) {
  const share = (r) => [h("b", { text: percent(r.value) }), h("span", { class: "soft range", text: t("measures.range", { low: percent(r.low), high: percent(r.high) }) })];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("measures.of." + by) }, h("table", {},
    h("thead", {}, h("tr", {}, ["value", "impressions", ...shares, "watch_seconds"].map((c) => h("th", { scope: "col", text: t("measures.col." + c) })))),
    h("tbody", {}, rows.map((r) => h("tr", { "data-value": r.value }, h("th", { scope: "row", text: name(by, r.value) }), h("td", { text: number(r.impressions) }),
      shares.map((s) => h("td", {}, share(r[s]))), h("td", { text: t("seconds", { s: number(r.watch_seconds.value, 1) }) }))))));
}

// chart draws one share from hour to hour: a small line for each of the values that
// were shown most. A time at which nothing was shown has no point.
function chart(share, rows, course, by, interval) {
  const most = rows.toSorted((a, b) => b.impressions - a.impressions).slice(0, drawn);
  const size = interval === "hour" ? 3600e3 : 24 * 3600e3;
  const format = share === "watch_seconds" ? (v) => t("seconds", { s: number(v, 1) }) : percent;
  const when = new Intl.DateTimeFormat(locale(), interval === "hour" ? { hour: "numeric" } : { month: "short", day: "numeric" });
  const lines = most.map((r) => {
    const own = course.filter((c) => c.value === r.value && c.impressions > 0);
    const points = own.map((c) => ({ step: Math.round(new Date(c.at) / size), value: c[share].value }));
    if (points.length < 2) return null;
    return curve(name(by, r.value), points, { format, from: when.format(new Date(own[0].at)), to: when.format(new Date(own.at(-1).at)) });
  }).filter(Boolean);
  return h("section", { class: "panel", "data-chart": share }, h("h2", { text: t("measures.col." + share) }),
    lines.length ? h("div", { class: "curves" }, lines) : h("p", { class: "soft", text: t("measures.soon") }));
}
