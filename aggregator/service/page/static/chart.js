// Panels over one axis of time: lines, steps, bars. Drawn anew as a whole, which is quick enough.

import { draw, eachFrame } from "./dom.js";
import { range, roundMarks, timeMarks } from "./scale.js";

const LEFT = 54;
const RIGHT = 8;
const TOP = 22;
const GAP = 14;
const BOTTOM = 24;
/** From one marked value to the next, and the widest bar. [px] */
const MARKED = 34;
const BAR = 56;
/** Points further apart than so many of their steps are not joined. */
const JOINED = 2.5;

const known = (value) => value !== null && value !== undefined;

/**
 * A chart. `show(drawing)` takes {span, zone, nowMs, slots: [{from, to}], label, panels: [{unit,
 * height, format, least, most, zero, series: [{kind, role, style, from, to, values, low, high}]}],
 * marks}; `marks(most)` are {ms, label} where others than round times are marked; `onSlot(place)` is told which slot the pointer or the arrow keys are at, null for none.
 */
export class Chart {
  constructor(place, onSlot) {
    this.place = place;
    this.onSlot = onSlot;
    this.slot = null;
    this.svg = draw("svg", { role: "img", tabindex: 0, onkeydown: (event) => this.step(event) });
    for (const kind of ["pointermove", "pointerdown"]) this.svg.addEventListener(kind, (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.choose(null));
    this.svg.addEventListener("blur", () => this.choose(null));
    place.replaceChildren(this.svg);
    this.redraw = eachFrame(() => this.paint());
    new ResizeObserver(() => { if (place.clientWidth !== this.width) this.redraw(); }).observe(place);
  }

  show(drawing) {
    this.drawing = drawing;
    if (this.slot !== null && this.slot >= drawing.slots.length) this.slot = null;
    this.redraw();
  }

  x(ms) {
    const [from, to] = this.drawing.span;
    return LEFT + ((ms - from) / (to - from)) * (this.width - LEFT - RIGHT);
  }

  paint() {
    const drawing = this.drawing;
    this.width = this.place.clientWidth;
    if (!drawing || this.width === 0) return;
    const height = drawing.panels.reduce((sum, panel) => sum + panel.height + TOP + GAP, 0) - GAP + BOTTOM;
    const most = Math.floor((this.width - LEFT) / 62);
    const marks = drawing.marks?.(most) ?? timeMarks(drawing.span, drawing.zone, most);
    const parts = [this.past(height)];
    let top = 0;
    this.bounds = [];
    for (const panel of drawing.panels) {
      parts.push(this.panel(panel, top + TOP, marks));
      this.bounds.push([top + TOP, panel.height]);
      top += panel.height + TOP + GAP;
    }
    parts.push(...marks.map(({ ms, label }) => draw("text", { x: this.x(ms), y: height - 6, "text-anchor": "middle" }, label)));
    this.cursor = draw("g");
    this.svg.replaceChildren(...parts, ...this.now(height), this.cursor);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("aria-label", drawing.label);
    this.markSlot();
  }

  past(height) {
    const { nowMs, span } = this.drawing;
    if (!known(nowMs) || nowMs <= span[0]) return draw("g");
    const end = this.x(Math.min(nowMs, span[1]));
    return draw("rect", { class: "past", x: LEFT, y: TOP - 6, width: Math.max(0, end - LEFT), height: height - BOTTOM - TOP + 6 });
  }

  now(height) {
    const { nowMs, span } = this.drawing;
    if (!known(nowMs) || nowMs < span[0] || nowMs > span[1]) return [];
    const x = this.x(nowMs);
    const side = x > this.width - 60 ? { x: x - 5, "text-anchor": "end" } : { x: x + 5 };
    return [
      draw("line", { class: "now", x1: x, x2: x, y1: TOP - 8, y2: height - BOTTOM }),
      draw("text", { class: "now-label", y: TOP - 9, ...side }, "now"),
    ];
  }

  panel(panel, top, marks) {
    const every = panel.series.flatMap(({ values, low, high }) => [values, low ?? [], high ?? []]).flat();
    const [least, most] = known(panel.least) ? [panel.least, panel.most] : range(every, panel);
    const y = (value) => top + panel.height * (1 - (value - least) / (most - least));
    const rules = roundMarks(least, most, panel.height / MARKED).map((value) =>
      draw("g", {},
        draw("line", { class: value === 0 && least < 0 ? "zero" : "rule", x1: LEFT, x2: this.width - RIGHT, y1: y(value), y2: y(value) }),
        draw("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, panel.format(value))));
    const times = marks.map(({ ms }) => draw("line", { class: "rule", x1: this.x(ms), x2: this.x(ms), y1: top, y2: top + panel.height }));
    return draw("g", {},
      draw("text", { class: "unit", x: 0, y: top - 9 }, panel.unit),
      times, rules, panel.series.map((series) => this.series(series, y)));
  }

  series(series, y) {
    const colours = { "--role": `var(--${series.role})` };
    if (series.kind === "bars" || series.kind === "hollow") {
      const share = series.kind === "bars" ? 0.74 : 1;
      return draw("g", colours, series.values.map((value, place) => {
        if (!known(value)) return null;
        const [from, to] = [this.x(series.from[place]), this.x(series.to[place])];
        const inset = Math.max(((1 - share) * (to - from)) / 2, series.kind === "bars" ? 0 : 0.8, (to - from - (BAR * share) / 0.74) / 2);
        const [high, low] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
        return draw("rect", {
          class: series.kind === "bars" ? "bar-of" : to - from < 9 ? "hollow thin" : "hollow",
          x: from + inset, width: Math.max(1, to - from - 2 * inset), y: high, height: Math.max(0.5, low - high),
        });
      }));
    }
    const line = draw("path", { class: `line ${series.style ?? ""}`, d: series.kind === "step" ? this.steps(series, y) : this.points(series, y) });
    if (!series.low) return draw("g", colours, line);
    return draw("g", colours, draw("path", { class: "area", d: this.band(series, y) }), line);
  }

  steps({ from, to, values }, y) {
    let path = "";
    values.forEach((value, place) => {
      if (!known(value)) return;
      const joined = place > 0 && known(values[place - 1]);
      path += `${joined ? "V" : `M${this.x(from[place])},`}${y(value)}H${this.x(to[place])}`;
    });
    return path;
  }

  /** Runs of points that belong together. */
  runs({ from, to, values }) {
    const runs = [];
    values.forEach((value, place) => {
      if (!known(value)) return;
      const before = place - 1;
      const near = before >= 0 && known(values[before]) && from[place] - from[before] <= JOINED * (to[before] - from[before]);
      if (near) runs.at(-1).push(place);
      else runs.push([place]);
    });
    return runs;
  }

  points(series, y) {
    const at = (place) => `${this.x(series.at === "end" ? series.to[place] : (series.from[place] + series.to[place]) / 2)},${y(series.values[place])}`;
    return this.runs(series).map((run) => `M${run.map(at).join("L")}${run.length === 1 ? "h1" : ""}`).join("");
  }

  band(series, y) {
    const at = (values) => (place) => `${this.x((series.from[place] + series.to[place]) / 2)},${y(values[place])}`;
    return this.runs(series).map((run) => `M${[...run.map(at(series.high)), ...run.toReversed().map(at(series.low))].join("L")}Z`).join("");
  }

  point(event) {
    const [from, to] = this.drawing.span;
    const left = this.svg.getBoundingClientRect().left;
    const ms = from + ((event.clientX - left - LEFT) / (this.width - LEFT - RIGHT)) * (to - from);
    const { slots } = this.drawing;
    const place = slots.findIndex((slot) => ms >= slot.from && ms < slot.to);
    this.choose(place < 0 ? null : place);
  }

  step(event) {
    const last = this.drawing.slots.length - 1;
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -8, PageDown: 8, Home: -1e9, End: 1e9 };
    if (event.key === "Escape") this.choose(null);
    if (!(event.key in moves) || last < 0) return;
    event.preventDefault();
    // the first arrow goes to the present
    const present = Math.max(0, this.drawing.slots.findIndex(({ to }) => to > (this.drawing.nowMs ?? 0)));
    const jump = Math.abs(moves[event.key]) > last;
    const place = this.slot === null && !jump ? present : (this.slot ?? 0) + moves[event.key];
    this.choose(Math.max(0, Math.min(last, place)));
  }

  choose(slot) {
    if (slot === this.slot) return;
    this.slot = slot;
    this.markSlot();
    this.onSlot(slot);
  }

  markSlot() {
    const slot = this.slot === null ? null : this.drawing.slots[this.slot];
    if (!slot) {
      this.cursor?.replaceChildren();
      return;
    }
    const [x, end] = [this.x(slot.from), this.x(slot.to)];
    this.cursor.replaceChildren(...this.bounds.map(([y, height]) => draw("rect", { class: "cursor", x, y, width: Math.max(1.5, end - x), height })));
  }
}
