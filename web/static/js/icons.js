// Line icons drawn for this console on a 24-unit grid.
const SVG = "http://www.w3.org/2000/svg";

const paths = {
  home: "M4 11.5 12 5l8 6.5 M6.5 10v9h11v-9",
  search: "M10.8 17.6a6.8 6.8 0 1 0 0-13.6 6.8 6.8 0 0 0 0 13.6Z M16 16l4.5 4.5",
  user: "M12 12.2a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.8 20c.6-3.7 3.5-5.6 7.2-5.6s6.6 1.9 7.2 5.6",
  box: "M4 8.2 12 4l8 4.2v7.7L12 20l-8-4.1Z M4 8.2l8 4.2 8-4.2 M12 12.4V20",
  code: "M8.5 7.5 4 12l4.5 4.5 M15.5 7.5 20 12l-4.5 4.5",
  chart: "M4.5 4.5v15h15 M8 15.5l3.5-4.5 3 2.5 4.5-6",
  rows: "M4.5 6h15 M4.5 12h15 M4.5 18h15",
  keyboard: "M3.5 7.5h17v10h-17Z M7 11h.01 M10.3 11h.01 M13.7 11h.01 M17 11h.01 M8 14.3h8",
  sun: "M12 15.8a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6Z M12 3v2 M12 19v2 M3 12h2 M19 12h2 M5.6 5.6 7 7 M17 17l1.4 1.4 M5.6 18.4 7 17 M17 7l1.4-1.4",
  moon: "M19.5 14.2A7.8 7.8 0 0 1 9.8 4.5a7.8 7.8 0 1 0 9.7 9.7Z",
  auto: "M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z M12 4.5v15 M12 8h4.8 M12 12h7.3 M12 16h4.8",
  play: "M8 5.5v13l10.5-6.5Z",
  heart: "M12 19.5C7 16 4 13.3 4 9.8A4.2 4.2 0 0 1 12 7.8a4.2 4.2 0 0 1 8 2c0 3.5-3 6.2-8 9.7Z",
  save: "M6.5 4.5h11v15L12 15.6l-5.5 3.9Z",
  like: "M12 5v14 M5 12h14",
  minus: "M5 12h14",
  more: "M5.5 12h.01 M12 12h.01 M18.5 12h.01",
  similar: "M4.5 4.5h6v6h-6Z M13.5 4.5h6v6h-6Z M4.5 13.5h6v6h-6Z M16.5 13.5v6 M13.5 16.5h6",
  hide: "M12 19.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z M6.8 17.2 17.2 6.8",
  follow: "M10 12a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4Z M3.5 19.5c.5-3.4 3.1-5.2 6.5-5.2 1.4 0 2.7.3 3.7.9 M17.5 14.5v6 M14.5 17.5h6",
  eye: "M3 12c2-4 5.2-6 9-6s7 2 9 6c-2 4-5.2 6-9 6s-7-2-9-6Z M12 14.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z",
  close: "M6 6l12 12 M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  spark: "M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8Z",
  back: "M9 7 4.5 11.5 9 16 M4.5 11.5h9a5.5 5.5 0 0 1 0 11",
  undo: "M8.5 6 4.5 10l4 4 M4.5 10H14a5 5 0 0 1 0 10h-3",
  trash: "M5 7h14 M9.5 7V4.5h5V7 M7 7l.8 12.5h8.4L17 7 M10.3 10.5v5.5 M13.7 10.5v5.5",
  topic: "M4.5 12.5v-8h8l7 7-8 8Z M8.5 8.5h.01",
  video: "M4 6.5h16v11H4Z M10.5 9.7v4.6l3.8-2.3Z",
  short: "M8 4h8v16H8Z M11 10v4l3-2Z",
  music: "M9 17.5V6l9-1.8v11.3 M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z M18 15.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  live: "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z M8 8a5.6 5.6 0 0 0 0 8 M16 8a5.6 5.6 0 0 1 0 8 M5.2 5.2a9.6 9.6 0 0 0 0 13.6 M18.8 5.2a9.6 9.6 0 0 1 0 13.6",
  game: "M7.5 8h9a4 4 0 0 1 4 4.5l-.5 3a2.3 2.3 0 0 1-4 1l-1.5-2h-5L8 16.5a2.3 2.3 0 0 1-4-1l-.5-3A4 4 0 0 1 7.5 8Z M8.5 10.5v3 M7 12h3 M15.5 11h.01 M17 13h.01",
  ad: "M4 10v4h3l7 4V6L7 10Z M17 9.5a3.5 3.5 0 0 1 0 5",
  article: "M6 4h9l3 3v13H6Z M9 10h6 M9 13h6 M9 16h4",
  product: "M5.5 8h13l-1 12h-11Z M9 10.5V7a3 3 0 0 1 6 0v3.5",
  person: "M12 12.2a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.8 20c.6-3.7 3.5-5.6 7.2-5.6s6.6 1.9 7.2 5.6",
  copy: "M8.5 8.5h11v11h-11Z M15.5 8.5v-4h-11v11h4",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16Z M12 7.5V12l3 2",
};

// icon returns a drawn icon that screen readers skip: its button is labelled.
export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon", "icon-" + name);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", paths[name] ?? paths.spark);
  svg.append(path);
  return svg;
}

// drawIcons replaces the placeholders of the static page.
export function drawIcons(root) {
  for (const place of root.querySelectorAll("svg[data-icon]")) place.replaceWith(icon(place.dataset.icon));
}
