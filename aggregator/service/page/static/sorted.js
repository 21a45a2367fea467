// A table that sorts by any column and shows so many rows at a time, so that thousands stay quick.

import { columnKind, make } from "./dom.js";
import { count } from "./format.js";

const ROWS = 100;
const MORE = 1000;

/**
 * A table. `columns` are {name, cell(row), value(row), down, words, narrow}: what is shown, what it
 * is sorted by, and whether the greatest comes first; `foot` are the cells of a last row.
 */
export class SortedTable {
  constructor({ caption, columns, column = 0, down = false, rows = ROWS }) {
    Object.assign(this, { columns, column, down, first: rows, most: rows, rows: [], foot: null });
    this.heads = columns.map((each, place) => make("th", { scope: "col", class: columnKind(each) },
      make("button", { type: "button", class: "sorts", onclick: () => this.sort(place) }, each.name)));
    this.body = make("tbody");
    this.sums = make("tfoot");
    this.more = make("button", { type: "button", class: "more-rows", onclick: () => { this.most += MORE; this.draw(); } });
    this.element = make("div", {},
      make("div", { class: "wide" }, make("table", {}, make("caption", { class: "unseen" }, caption), make("thead", {}, make("tr", {}, this.heads)), this.body, this.sums)), this.more);
  }

  show(rows, foot = null) {
    Object.assign(this, { rows, foot });
    this.draw();
  }

  sort(place) {
    this.down = this.column === place ? !this.down : Boolean(this.columns[place].down);
    this.column = place;
    this.most = this.first;
    this.draw();
  }

  draw() {
    const { value } = this.columns[this.column];
    const sign = this.down ? -1 : 1;
    const order = new Intl.Collator("en", { numeric: true });
    const rows = this.rows.map((row) => [value(row), row]).sort(([one], [other]) => {
      // what is not known is last, whichever way
      if (one === null || other === null) return (one === null) - (other === null);
      return sign * (typeof one === "string" ? order.compare(one, other) : one - other);
    });
    this.heads.forEach((head, place) => {
      if (place === this.column) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const line = (cells) => make("tr", {}, cells.map((cell, place) =>
      make(place ? "td" : "th", { class: columnKind(this.columns[place]), scope: place ? null : "row" }, cell)));
    this.body.replaceChildren(...rows.slice(0, this.most).map(([, row]) => line(this.columns.map(({ cell }) => cell(row)))));
    this.sums.replaceChildren(...(this.foot ? [line(this.foot)] : []));
    const left = rows.length - this.most;
    this.more.hidden = left <= 0;
    this.more.textContent = `${count(Math.min(left, MORE))} more of ${count(rows.length)}`;
  }
}
