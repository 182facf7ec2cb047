// A small line chart: how a loss or a metric goes from step to step.
import { h } from "./dom.js";
import { number } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";
const wide = 240; // units of the drawing; CSS says how large it is
const high = 64;

// curve draws points {step, value} under a label; the latest value is written
// beside it, for those who cannot see the line as well. from and to name the ends.
export function curve(label, points, { format = (v) => number(v, 4), from, to } = {}) {
  const values = points.map((p) => p.value);
  const low = Math.min(...values);
  const range = Math.max(...values) - low || 1;
  const first = points[0].step;
  const steps = points.at(-1).step - first || 1;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -4 ${wide} ${high + 8}`);
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.map((p) => `${((p.step - first) / steps) * wide},${high - ((p.value - low) / range) * high}`).join(" "));
  svg.append(line);
  return h("figure", { class: "curve" }, svg, h("figcaption", {}, h("span", { text: label }), h("b", { text: format(values.at(-1)) })),
    from && to ? h("p", { class: "ends soft" }, h("span", { text: from }), h("span", { text: to })) : "");
}
