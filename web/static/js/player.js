// Now watching: nothing is really played. The visitor sets how much was
// watched, and the events that a player would send are sent.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { duration, t } from "./i18n.js";
import { act } from "./acts.js";
import { frame } from "./frame.js";

// A live stream has no length; the slider then spans this.
const liveSpan = 30 * 60 * 1000;

let playing = null;

// play opens the panel and sends the play event.
export async function play(item) {
  playing = item;
  const sent = act("play", item); // before the panel, so that both happen at once
  draw(item);
  await sent;
}

function draw(item) {
  const p = item.properties ?? {};
  const length = p.duration_ms ?? 0;
  const span = length || liveSpan;
  const time = h("output", { for: "progress", text: "0:00" });
  const slider = h("input", { id: "progress", type: "range", min: "0", max: "100", value: "0", step: "1", "aria-label": t("player.watched") });
  const watched = () => Math.round((span * slider.value) / 100);
  const show = () => {
    time.textContent = duration(watched());
    slider.style.setProperty("--at", slider.value + "%");
    slider.setAttribute("aria-valuetext", t("player.of", { watched: duration(watched()), length: length ? duration(length) : t("kind.live") }));
  };
  slider.addEventListener("input", show);
  const end = (kind, ms) => {
    const watch = { watched_ms: ms, position_ms: ms };
    if (length) watch.duration_ms = length; // a live stream has none
    act(kind, item, { watch });
    close();
  };
  // Ninety per cent is complete, as the server counts it; under 3 s is a skip.
  const stop = () => end(watched() < 3000 ? "skip" : length && slider.value >= 90 ? "complete" : "progress", watched());
  const dock = document.getElementById("dock");
  fill(dock,
    h("div", { class: "player" },
      h("div", { class: "thumb" }, frame(item, false)),
      h("div", { class: "about" },
        h("p", { class: "soft", text: t("player.now") }),
        h("p", { class: "name", lang: p.language, text: p.title ?? item.id })),
      h("button", { class: "tool", type: "button", "aria-label": t("player.close"), title: t("player.close"), onclick: close }, icon("close")),
      h("div", { class: "line" }, time, slider, h("span", { text: length ? duration(length) : t("kind.live") })),
      h("div", { class: "row" },
        h("button", { class: "button quiet", type: "button", "data-stop": "", text: t("player.stop"), onclick: stop }),
        length ? h("button", { class: "button", type: "button", "data-complete": "", text: t("player.complete"), onclick: () => end("complete", length) }) : null),
      h("p", { class: "note", text: t("player.simulated") })));
  dock.classList.add("open");
  show();
  slider.focus({ preventScroll: true });
}

function close() {
  playing = null;
  const dock = document.getElementById("dock");
  dock.classList.remove("open");
  dock.replaceChildren();
  document.getElementById("view").focus({ preventScroll: true });
}

// redrawPlayer words the open panel again, after the language changed.
export const redrawPlayer = () => playing && draw(playing);
