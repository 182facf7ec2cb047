// What the visitor does becomes an event, and whoever shows an answer asks
// again. Impressions are not sent: an item with one counts as seen and would
// leave the next page, and here the page should change by what one does.
import { random } from "./dom.js";
import { sendEvent, retract } from "./api.js";
import { session, viewer } from "./viewer.js";
import { complain } from "./toast.js";

const acted = new EventTarget();

// onAct calls back with {event, title, start, took} after each event was
// accepted: start is when it was sent (performance.now), took its round trip
// in ms. It returns how to stop.
export function onAct(run) {
  const listen = (e) => run(e.detail);
  acted.addEventListener("act", listen);
  return () => acted.removeEventListener("act", listen);
}

// act sends one event about a card's item. It resolves to the event, or null
// where it was refused (and said so).
export async function act(kind, card, more = {}) {
  const start = performance.now();
  const event = {
    id: random(), kind, at: new Date().toISOString(), user_id: viewer().id, session_id: session, surface: "demo",
    item_id: card?.id, token: card?.token, position: card?.rank, ...more,
  };
  try {
    await sendEvent(event);
  } catch (err) {
    complain(err);
    return null;
  }
  const detail = { event, title: card?.properties?.title ?? "", start, took: performance.now() - start };
  acted.dispatchEvent(new CustomEvent("act", { detail }));
  return event;
}

// takeBack retracts an event of the viewer.
export async function takeBack(event) {
  const start = performance.now();
  try {
    await retract(event.id, viewer().id);
  } catch (err) {
    complain(err);
    return false;
  }
  acted.dispatchEvent(new CustomEvent("act", { detail: { event: { ...event, kind: "retract" }, title: "", start, took: performance.now() - start } }));
  return true;
}
