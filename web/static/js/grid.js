// A grid of cards that moves from one answer to the next.
import { calm, fill, h } from "./dom.js";
import { cardKey, makeCard, updateCard } from "./card.js";

// makeGrid returns {element, show, waiting}. show(items) redraws and returns
// {added, gone, moved}: items, items and a count. Cards of items that stay are
// kept, so focus and pictures stay too.
export function makeGrid(label, hooks) {
  const element = h("section", { class: "grid", "aria-label": label });
  const cards = new Map();

  const show = (items) => {
    const first = cards.size === 0;
    const before = places(element);
    const focused = document.activeElement?.closest?.(".card");
    const hadFocus = focused && element.contains(focused) ? [...element.children].indexOf(focused) : -1;
    const old = new Map(cards);
    cards.clear();
    let moved = 0;
    const next = items.map((item) => {
      let card = old.get(item.id);
      if (card && card.item.rank !== item.rank) moved++;
      if (card) updateCard(card, item);
      else card = makeCard(item, hooks);
      old.delete(item.id);
      cards.set(item.id, card);
      return card;
    });
    const added = items.filter((item) => !before.has(item.id));
    const gone = [...old.values()];
    const ghosts = first ? [] : gone.map((card) => ghost(card, before.get(card.item.id)));
    fill(element, next);
    if (hadFocus >= 0 && !element.contains(document.activeElement)) element.children[Math.min(hadFocus, next.length - 1)]?.querySelector(".title").focus({ preventScroll: true });
    animate(element, before, ghosts, first);
    return { added, gone: gone.map((c) => c.item), moved };
  };

  const waiting = (n = 12) => {
    cards.clear();
    fill(element, Array.from({ length: n }, () => h("div", { class: "card wait", "aria-hidden": "true" }, h("div", { class: "frame" }), h("div", { class: "words" }, h("i"), h("i", { class: "short" })))));
  };

  element.addEventListener("keydown", (e) => {
    const card = e.target.closest(".card");
    if (!card || e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input, textarea")) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(element), ArrowUp: -columns(element) }[e.key];
    if (step) {
      const all = [...element.children];
      const next = all[all.indexOf(card) + step];
      if (next) {
        e.preventDefault();
        next.querySelector(".title").focus();
      }
    } else if (cardKey(e.key, card, hooks)) e.preventDefault();
  });
  return { element, show, waiting };
}

const columns = (element) => getComputedStyle(element).gridTemplateColumns.split(" ").length;

const places = (element) => new Map([...element.children].filter((c) => c.item).map((c) => [c.item.id, c.getBoundingClientRect()]));

// ghost is a picture of a card that has gone, fading where it stood.
function ghost(card, at) {
  const copy = card.cloneNode(true);
  copy.className = "card ghost";
  copy.removeAttribute("data-item");
  copy.inert = true;
  Object.assign(copy.style, { left: at.left + scrollX + "px", top: at.top + scrollY + "px", width: at.width + "px", height: at.height + "px" });
  return copy;
}

// animate lets cards glide from where they were (FLIP), new ones appear, and
// ghosts fade. Without motion new cards are only marked.
function animate(element, before, ghosts, first) {
  const still = calm();
  let fresh = 0;
  for (const card of element.children) {
    const was = before.get(card.item.id);
    if (!was) {
      card.classList.toggle("new", !first);
      if (!still) card.animate([{ opacity: 0, transform: "translateY(14px) scale(.98)" }, { opacity: 1, transform: "none" }], { duration: 340, delay: Math.min(fresh++ * 25, 250), easing: "cubic-bezier(.2,.7,.2,1)", fill: "backwards" });
      continue;
    }
    card.classList.remove("new");
    const is = card.getBoundingClientRect();
    const dx = was.left - is.left, dy = was.top - is.top;
    if (!still && (dx || dy)) card.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" });
  }
  if (still) return;
  for (const g of ghosts) {
    document.body.append(g);
    g.animate([{ opacity: 0.9 }, { opacity: 0, transform: "scale(.94)" }], { duration: 320, easing: "ease-out" }).finished.finally(() => g.remove());
  }
}
