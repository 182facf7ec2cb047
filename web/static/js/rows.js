// Rows: a page as many platforms show it, each row for a reason of its own. The
// server chooses the rows, puts them in order, and shows no item twice.
import { fill, h } from "./dom.js";
import { makeGrid } from "./grid.js";

// makeRows returns {element, show, waiting} as makeGrid does: rows and the cards in
// them that stay are kept.
export function makeRows(hooks) {
  const element = h("div", { class: "rowed" });
  const known = new Map(); // by name

  const show = (rows) => {
    const sum = { added: [], gone: [], moved: 0 };
    const old = new Map(known);
    known.clear();
    const next = rows.map((row) => {
      const one = old.get(row.name) ?? makeRow(row, hooks);
      old.delete(row.name);
      known.set(row.name, one);
      one.title.textContent = row.title || row.name;
      const change = one.grid.show(row.items);
      sum.added.push(...change.added);
      sum.gone.push(...change.gone);
      sum.moved += change.moved;
      return one.element;
    });
    if (next.some((e, i) => element.children[i] !== e) || element.children.length !== next.length) fill(element, next);
    return sum;
  };
  const waiting = () => {
    known.clear();
    const row = makeRow({ name: "", title: "" }, hooks);
    row.grid.waiting(6);
    fill(element, row.element);
  };
  return { element, show, waiting };
}

function makeRow(row, hooks) {
  const title = h("h2", { text: row.title || row.name });
  const grid = makeGrid(row.title || row.name, hooks);
  grid.element.classList.add("strip");
  return { title, grid, element: h("section", { class: "strip-row", "data-row": row.name }, title, grid.element) };
}
