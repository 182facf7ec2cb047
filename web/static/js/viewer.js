// Who the visitor is: one of the simulated viewers, or somebody invented.
import { random, stored } from "./dom.js";
import { simulated } from "./api.js";
import { language } from "./i18n.js";

const changed = new EventTarget();
let simulatedViewers = [];
let now = null;

// The session lasts as long as the browser's tab.
export const session = stored("upnext.session", undefined, "sessionStorage") ?? stored("upnext.session", random(), "sessionStorage");

const invented = () => {
  try {
    const all = JSON.parse(stored("upnext.invented") ?? "[]");
    return Array.isArray(all) ? all.filter((v) => v && typeof v.id === "string" && typeof v.name === "string") : [];
  } catch {
    return [];
  }
};

// loadViewers finds out who one can be and who one was last.
export async function loadViewers() {
  simulatedViewers = await simulated();
  const last = stored("upnext.viewer");
  now = everyone().find((v) => v.id === last) ?? simulatedViewers.find((v) => v.locale === language) ?? simulatedViewers[0] ?? invented()[0];
  now ??= invent(language === "zh" ? "新来的" : "Newcomer");
}

// everyone lists whom one can be: own inventions, then the simulated viewers,
// those who read the page's language first.
export function everyone() {
  const own = invented().map((v) => ({ ...v, invented: true }));
  const near = simulatedViewers.filter((v) => v.locale === language);
  return [...own, ...near, ...simulatedViewers.filter((v) => v.locale !== language)];
}

// viewer is who one is now.
export const viewer = () => now;

// become switches to somebody of everyone().
export function become(id) {
  const next = everyone().find((v) => v.id === id);
  if (!next || next.id === now?.id) return;
  now = next;
  stored("upnext.viewer", id);
  changed.dispatchEvent(new Event("change"));
}

// invent makes a viewer of whom the system knows nothing, and becomes them.
export function invent(name) {
  const made = { id: "demo-" + random().slice(0, 8), name: name.trim().slice(0, 60), invented: true };
  stored("upnext.invented", JSON.stringify([{ id: made.id, name: made.name }, ...invented()].slice(0, 12)));
  now = made;
  stored("upnext.viewer", made.id);
  changed.dispatchEvent(new Event("change"));
  return made;
}

// onViewer calls back when somebody else is watching; it returns how to stop.
export function onViewer(run) {
  changed.addEventListener("change", run);
  return () => changed.removeEventListener("change", run);
}
