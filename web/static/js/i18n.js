// Words in the visitor's language: English or Chinese.
import { stored } from "./dom.js";
import en from "./en.js";
import zh from "./zh.js";

const all = { en, zh };

// language is "en" or "zh": chosen before, else as the browser prefers.
export let language = stored("upnext.language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!all[language]) language = "en";

// setLanguage switches; the caller draws the page again.
export function setLanguage(next) {
  language = next;
  stored("upnext.language", next);
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
}

// t returns the words of a key with {name} places filled in; {n|item|items}
// chooses by whether n is one.
export function t(key, values = {}) {
  const words = all[language][key] ?? en[key] ?? key;
  return words
    .replace(/\{(\w+)\|([^|}]*)\|([^|}]*)\}/g, (whole, name, one, many) => (Number(values[name]) === 1 ? one : many))
    .replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// locale is what numbers, times and the server's reasons are written in.
export const locale = () => (language === "zh" ? "zh-CN" : "en");

// number writes a number, with at most the given digits after the point.
export const number = (n, digits = 0) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(n ?? 0);

// list writes several words as one phrase.
export const list = (words) => new Intl.ListFormat(locale(), { type: "conjunction" }).format(words);

// ago writes how long since a time.
export function ago(time) {
  const seconds = (new Date(time) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(Math.round(seconds), "second");
}

// duration writes milliseconds as 1:23 or 1:02:03.
export function duration(ms) {
  const s = Math.round(ms / 1000);
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((n, i) => (i === 0 ? String(n) : String(n).padStart(2, "0"))).join(":");
}

// translate fills in the words of the static page.
export function translate(root) {
  for (const e of root.querySelectorAll("[data-i18n]")) e.textContent = t(e.dataset.i18n);
  for (const e of root.querySelectorAll("[data-i18n-label]")) {
    e.setAttribute("aria-label", t(e.dataset.i18nLabel));
    if (e.tagName === "BUTTON") e.title = t(e.dataset.i18nLabel);
  }
}
