// The picture of an item.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { hue } from "./labels.js";
import { picture } from "./api.js";

// frame draws an item's picture, or its own colour where there is none.
export function frame(item, lazy = true) {
  const p = item.properties ?? {};
  const src = picture(p.thumbnail);
  const blank = () => h("span", { class: "blank", vars: { "--hue": hue(item.id) } }, icon(item.kind || "spark", 40));
  if (!src) return blank();
  // The title beside it says what it is, so the picture is silent.
  const img = h("img", { src, alt: "", width: "480", height: "270", loading: lazy ? "lazy" : "eager", decoding: "async" });
  img.addEventListener("error", () => img.replaceWith(blank()), { once: true });
  return img;
}
