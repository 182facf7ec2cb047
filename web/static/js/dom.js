// Elements are made here and nowhere by markup: texts come from callers, so
// they only ever enter the page as text nodes and attributes.

// h makes an element. Properties: class, text, on* listeners, data-*/aria-*
// and other attributes; false, null and undefined leave an attribute out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "value") element.value = value;
    else if (name === "vars") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

// fill replaces what an element holds.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

// random returns a UUID. crypto.randomUUID is there in secure contexts only
// (https and localhost); over plain http on a network name it is made by hand.
export function random() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// calm says whether the visitor asked for less motion.
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// stored reads and writes one string that should outlive the page; where
// storage is forbidden it lives as long as the page.
const memory = new Map();
export function stored(key, value, store = "localStorage") {
  try {
    if (value === undefined) return window[store].getItem(key) ?? memory.get(key) ?? null;
    window[store].setItem(key, value);
  } catch {
    if (value === undefined) return memory.get(key) ?? null;
  }
  memory.set(key, value);
  return value;
}
