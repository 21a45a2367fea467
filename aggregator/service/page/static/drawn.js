// A card with a drawing: what its lines are, one place read out, and the same as a table.

import { Chart } from "./chart.js";
import { legend, make, say, table } from "./dom.js";
import { UNKNOWN } from "./format.js";

/** `{id, title, lines}`: an id of its own, a heading, and a legend's entries; `beside` stands right of the heading. */
export class DrawnCard {
  constructor({ id, title, lines, beside = null }) {
    this.above = make("div");
    this.drawn = make("div", { class: "chart" });
    this.readout = make("p", { class: "readout", "aria-live": "polite" });
    this.rows = make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": `${title} as a table` });
    this.details = make("details", { ontoggle: () => this.tabulate() }, make("summary", {}, "The same as a table"), this.rows);
    this.below = make("div");
    this.none = make("p", { class: "empty", hidden: true });
    this.legend = make("ul", { class: "legend" }, legend(lines));
    this.card = make("section", { class: "card", "aria-labelledby": `title-${id}` },
      make("div", { class: "head" }, make("h2", { id: `title-${id}` }, title), beside),
      this.above, this.none, this.legend, this.drawn, this.readout, this.details, this.below);
    this.chart = new Chart(this.drawn, (slot) => this.readOut(slot));
    this.found = null;
  }

  /** Say why there is nothing to draw. */
  empty(words) {
    this.found = null;
    this.hide(true);
    say(this.none, words);
  }

  hide(nothing) {
    this.none.hidden = !nothing;
    for (const part of [this.legend, this.drawn, this.readout, this.details, this.below]) part.hidden = nothing;
  }

  /**
   * Draw. `drawing` is what `Chart.show` takes; `words` sums it up; `when(slot)` names a place and
   * `figures` are [name, slot => words] of it, which are the table's columns too.
   */
  show({ drawing, words, when, place = "From", figures }) {
    this.found = { drawing, words, when, place, figures };
    this.hide(false);
    this.chart.show({ ...drawing, label: `${words}. Arrow keys go through it.` });
    this.readOut(this.chart.slot);
    this.tabulate();
  }

  readOut(slot) {
    if (!this.found) return;
    const { words, when, figures } = this.found;
    if (slot === null) {
      say(this.readout, words);
      return;
    }
    const told = figures.map(([name, cell]) => [name, cell(slot)]).filter(([, value]) => value !== UNKNOWN);
    this.readout.replaceChildren(make("span", {}, make("b", {}, when(slot))),
      ...told.map(([name, value]) => make("span", {}, `${name.toLowerCase()} `, make("b", {}, value))));
  }

  tabulate() {
    if (!this.details.open || !this.found) return;
    const { drawing, words, when, place, figures } = this.found;
    const columns = [{ name: place, cell: when }, ...figures.map(([name, cell]) => ({ name, cell }))];
    this.rows.replaceChildren(table(words, columns, drawing.slots.map((_, slot) => slot)));
  }
}
