// The market day: price, plan, promise and delivery by intervals, state of charge against its plan.

import { Chart } from "./chart.js";
import { byId, legend, make, say, table } from "./dom.js";
import { dayName, energy, isoDay, percent, plain, price, time, UNKNOWN } from "./format.js";
import { read } from "./session.js";

const REFRESH_MS = 30_000;
const LEGEND = [
  ["Price", "price", ""], ["Imbalance price", "muted", "dash"], ["Promised", "ink", "hollow"], ["Delivered", "delivered", "fill"],
  ["Planned export", "plan", "dash"], ["State of charge", "soc", ""], ["Promised state of charge", "ink", "dash"],
];
const HALF_HOUR_MS = 1_800_000;

/** Return when each interval ends: where the next begins, the last as long as the one before. */
const ends = (starts) => {
  const last = starts.length > 1 ? starts.at(-1) - starts.at(-2) : HALF_HOUR_MS;
  return starts.map((start, place) => starts[place + 1] ?? start + last);
};
const midnights = (day, zone) => {
  // the zone's offset is looked for on both sides: a day has 23, 24 or 25 hours
  const local = (ms) => new Date(ms).toLocaleString("sv-SE", { timeZone: zone }).slice(0, 16);
  const find = (date) => {
    const wanted = `${date} 00:00`;
    for (let ms = Date.parse(date) - 14 * 3.6e6; ms <= Date.parse(date) + 14 * 3.6e6; ms += 9e5) if (local(ms) === wanted) return ms;
    return Date.parse(date);
  };
  return [find(day), find(new Date(Date.parse(day) + 864e5).toISOString().slice(0, 10))];
};

export class DayView {
  constructor(app) {
    this.app = app;
    this.day = null;
    this.chart = new Chart(byId("day-chart"), (slot) => this.readOut(slot));
    byId("day-legend").replaceChildren(...legend(LEGEND));
    byId("day-before").addEventListener("click", () => this.move(-1));
    byId("day-after").addEventListener("click", () => this.move(1));
    byId("day-today").addEventListener("click", () => this.choose(null));
    byId("day-input").addEventListener("change", (event) => { if (event.target.value) this.choose(event.target.value); });
    byId("day-details").addEventListener("toggle", () => this.tabulate());
  }

  get shownDay() { return this.day ?? isoDay(this.app.now()); }

  move(days) {
    this.choose(new Date(Date.parse(this.shownDay) + days * 864e5).toISOString().slice(0, 10));
  }

  choose(day) {
    this.day = day === isoDay(this.app.now()) ? null : day;
    this.load().catch((error) => this.app.failed(error));
  }

  /** Ask for the day; what is asked for later wins. */
  async load() {
    const day = this.shownDay;
    byId("day-input").value = day;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.askedMs = Date.now();
    const found = await read("api/fleet/day", { day });
    if (turn !== this.turn) return;
    this.told = found;
    this.to = ends(found.start_ms);
    this.show();
    this.app.dayChanged();
  }

  /** Ask again where it is time to; draw the present's line where it is now. */
  async beat() {
    if (this.askedMs !== undefined && Date.now() - this.askedMs >= REFRESH_MS) await this.load();
    else if (this.told) this.show();
  }

  /** The interval that is under way today, or null. */
  current() {
    if (!this.told || this.day !== null) return null;
    const now = this.app.now();
    const place = this.told.start_ms.findIndex((start, at) => start <= now && now < this.to[at]);
    if (place < 0) return null;
    return Object.fromEntries(Object.entries(this.told).filter(([, list]) => Array.isArray(list)).map(([name, list]) => [name, list[place]]).concat([["end_ms", this.to[place]]]));
  }

  show() {
    const { told, to } = this;
    say(byId("title-market"), dayName(told.day));
    const span = { from: told.start_ms, to };
    const energies = [told.committed_wh, told.delivered_wh, told.planned_export_wh].flat();
    const most = energies.reduce((most_, value) => Math.max(most_, Math.abs(value ?? 0)), 0);
    const [unit, size] = most >= 1e6 ? ["MWh", 1e6] : most >= 1e3 ? ["kWh", 1e3] : ["Wh", 1];
    this.chart.show({
      span: told.start_ms.length ? [told.start_ms[0], to.at(-1)] : midnights(told.day, told.zone),
      zone: told.zone,
      nowMs: this.app.now(),
      slots: told.start_ms.map((from, place) => ({ from, to: to[place] })),
      label: `${this.inWords()}. Arrow keys go through the intervals.`,
      panels: [
        { unit: `${this.app.start.currency} per MWh`, height: 84, format: plain, series: [
          { kind: "step", role: "muted", style: "dash", values: told.imbalance_price_per_mwh, ...span },
          { kind: "step", role: "price", values: told.price_per_mwh, ...span }] },
        { unit: `Export, ${unit} per interval`, height: 160, format: plain, series: [
          { kind: "bars", role: "delivered", values: told.delivered_wh.map((each) => each === null ? null : each / size), ...span },
          { kind: "hollow", role: "ink", values: told.committed_wh.map((each) => each ? each / size : null), ...span },
          { kind: "step", role: "plan", style: "dash", values: told.planned_export_wh.map((each) => each === null ? null : each / size), ...span }] },
        { unit: "State of charge of the fleet, %", height: 84, format: plain, least: 0, most: 100, series: [
          { kind: "line", role: "ink", style: "dash", at: "end", values: told.soc_planned.map((each) => each === null ? null : each * 100), ...span },
          { kind: "line", role: "soc", at: "end", values: told.soc.map((each) => each === null ? null : each * 100), ...span }] },
      ],
    });
    this.readOut(this.chart.slot);
    this.tabulate();
  }

  totals() {
    const sum = (list) => list.reduce((total, each) => (each === null ? total : (total ?? 0) + each), null);
    const over = this.told.start_ms.map((_, place) => this.to[place] <= this.app.now() && this.told.delivered_wh[place] !== null);
    return {
      committed: sum(this.told.committed_wh),
      due: sum(this.told.committed_wh.filter((_, place) => over[place])),
      delivered: sum(this.told.delivered_wh.filter((_, place) => over[place] && this.told.committed_wh[place])),
      revenue: sum(this.told.revenue_micro),
    };
  }

  inWords() {
    if (!this.told.start_ms.length) return `${dayName(this.told.day)}: nothing is known of this day yet`;
    const { committed, due, delivered } = this.totals();
    return `${dayName(this.told.day)}: ${energy(committed)} promised; ${energy(delivered)} delivered of ${energy(due)} that were due`;
  }

  readOut(slot) {
    const place = byId("day-readout");
    if (slot === null || !this.told) {
      say(place, this.told ? this.inWords() : "");
      return;
    }
    const { told } = this;
    const figure = (name, value) => (value === UNKNOWN ? null : make("span", {}, `${name} `, make("b", {}, value)));
    place.replaceChildren(...[
      make("span", {}, make("b", {}, `${time(told.start_ms[slot])}–${time(this.to[slot])}`)),
      figure("price", price(told.price_per_mwh[slot])),
      figure("imbalance", price(told.imbalance_price_per_mwh[slot])),
      figure("promised", energy(told.committed_wh[slot])),
      figure("delivered", energy(told.delivered_wh[slot])),
      figure("planned", energy(told.planned_export_wh[slot])),
      figure("charge", percent(told.soc[slot], 1)),
      figure("promised charge", percent(told.soc_planned[slot], 1)),
    ].filter(Boolean));
  }

  tabulate() {
    if (!byId("day-details").open || !this.told) return;
    const { told } = this;
    const rows = told.start_ms.map((_, place) => place);
    byId("day-table").replaceChildren(table(dayName(told.day), [
      { name: "From", cell: (at) => time(told.start_ms[at]) },
      { name: "Price / MWh", cell: (at) => price(told.price_per_mwh[at]) },
      { name: "Planned", cell: (at) => energy(told.planned_export_wh[at]), narrow: true },
      { name: "Promised", cell: (at) => energy(told.committed_wh[at]) },
      { name: "Delivered", cell: (at) => energy(told.delivered_wh[at]) },
      { name: "Charge", cell: (at) => percent(told.soc[at], 1), narrow: true },
      { name: "Promised charge", cell: (at) => percent(told.soc_planned[at], 1), narrow: true },
    ], rows));
  }
}
