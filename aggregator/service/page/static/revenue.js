// Revenue: what the fleet's days earned and cost, what each home's part of a day was.

import { csv, keep } from "./csv.js";
import { byId, make, say, tile } from "./dom.js";
import { DrawnCard } from "./drawn.js";
import { count, dayName, energy, isDay, money, moneyAlike, plain, plural, price, UNKNOWN } from "./format.js";
import { read } from "./session.js";
import { SortedTable } from "./sorted.js";

const DAY_MS = 864e5;
const SPANS = [[7, "7 days"], [30, "30 days"], [92, "3 months"], [366, "a year"]];
const sum = (rows, value) => rows.reduce((total, row) => total + value(row), 0);
const profit = (row) => row.revenue_micro - row.cost_micro;
const saving = (row) => (row.baseline_micro === null ? null : row.baseline_micro - row.cost_micro);
const perMwh = (row) => (row.exported_wh > 0 ? row.revenue_micro / row.exported_wh : null);
const shortDay = (ms) => new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const link = (day) => make("a", { href: `#/revenue/${day}` }, day);

/** Days as a drawing takes them: one place each, however long it is by its clock. */
const axis = (rows) => {
  const from = rows.map(({ day }) => Date.parse(day));
  const to = from.map((start) => start + DAY_MS);
  const marks = (most) => from.map((start) => ({ ms: start + DAY_MS / 2, label: shortDay(start) })).filter((_, place) => place % Math.ceil(from.length / most) === 0);
  return { span: [from[0], to.at(-1)], zone: "UTC", nowMs: null, slots: from.map((start, place) => ({ from: start, to: to[place] })), lists: { from, to }, marks };
};
/** What writes each of these figures of all rows: each with as many digits as its column. */
const alike = (rows, values) => Object.fromEntries(Object.entries(values).map(([name, value]) => {
  const words = moneyAlike(rows.map(value));
  return [name, (row) => words(value(row))];
}));
const FLEET = { revenue: (row) => row.revenue_micro, cost: (row) => row.cost_micro, profit };
const HOME = { revenue: (row) => row.revenue_micro, bill: (row) => row.cost_micro, alone: (row) => row.baseline_micro, saving };
const units = (rows, value) => rows.map((row) => (value(row) === null ? null : value(row) / 1e6));

/** A card with a home's days; `rows` are newest first. */
export class HomeDays {
  constructor(app) {
    this.app = app;
    this.save = make("button", { type: "button", class: "small", onclick: () => this.keep() }, "Save as CSV");
    this.card = new DrawnCard({ id: "home-revenue", title: "Revenue and bills", beside: this.save, lines: [["Revenue", "delivered", "fill"], ["Retail bill", "plan", "fill"], ["Bill of the load alone", "ink", "hollow"]] });
  }

  get element() { return this.card.card; }

  async load(home) {
    const rows = await read(`api/homes/${encodeURIComponent(home)}/revenue`, { limit: 30 });
    if (!rows.length) {
      this.save.hidden = true;
      this.card.empty("No day is accounted yet: the day after, the service reckons what this home earned and paid.");
      return;
    }
    this.save.hidden = false;
    this.rows = rows.toReversed();
    this.home = home;
    const drawn = axis(this.rows);
    const words = alike(rows, HOME);
    const figure = (name, which) => [name, (slot) => words[which](this.rows[slot])];
    const saved = sum(rows, (row) => saving(row) ?? 0);
    this.card.show({
      words: `${plural(rows.length, "day")}: earned ${money(sum(rows, (row) => row.revenue_micro))}, paid ${money(sum(rows, (row) => row.cost_micro))} at retail, ${money(Math.abs(saved))} ${saved < 0 ? "more" : "less"} than its load alone would have cost`,
      place: "Day", when: (slot) => this.rows[slot].day,
      drawing: { ...drawn, panels: [
        { unit: `Revenue, ${this.app.start.currency} a day`, height: 64, format: plain, series: [{ kind: "bars", role: "delivered", values: units(this.rows, (row) => row.revenue_micro), ...drawn.lists }] },
        { unit: `Retail bill, ${this.app.start.currency} a day`, height: 96, format: plain, series: [
          { kind: "bars", role: "plan", values: units(this.rows, (row) => row.cost_micro), ...drawn.lists },
          { kind: "hollow", role: "ink", values: units(this.rows, (row) => row.baseline_micro), ...drawn.lists }] },
      ] },
      figures: [figure("Revenue", "revenue"), figure("Retail bill", "bill"), figure("Load alone", "alone"), figure("Saving", "saving"), ["Exported", (slot) => energy(this.rows[slot].exported_wh)]],
    });
  }

  keep() { keep(`revenue-${this.home}.csv`, homesCsv(this.rows, this.app.start.currency)); }
}

const homesCsv = (rows, currency) => csv(
  ["day", "home", ...["revenue", "retail_bill", "load_alone", "saving"].map((name) => `${name}_${currency.toLowerCase()}`), "exported_wh"],
  rows.map((row) => [row.day, row.home, row.revenue_micro / 1e6, row.cost_micro / 1e6, row.baseline_micro === null ? null : row.baseline_micro / 1e6, saving(row) === null ? null : saving(row) / 1e6, row.exported_wh]));

export class RevenueView {
  constructor(app) {
    this.app = app;
    this.days = 30;
    this.place = byId("revenue");
    const { currency } = app.start;
    this.spans = SPANS.map(([days, words]) => make("button", { type: "button", class: "small", onclick: () => this.choose(days) }, words));
    this.save = make("button", { type: "button", class: "small", onclick: () => this.keep() }, "Save as CSV");
    byId("revenue-choice").replaceChildren(make("span", { class: "spans", role: "group", "aria-label": "Span" }, this.spans), this.save);
    this.tiles = make("div", { class: "tiles", role: "group", "aria-label": "Sums" });
    this.card = new DrawnCard({ id: "days", title: "Days", lines: [["Revenue", "delivered", "fill"], ["Cost", "plan", "fill"], ["Profit", "price", ""]] });
    this.table = new SortedTable({ caption: `The fleet’s days, ${currency}`, down: true, columns: [
      { name: "Day", down: true, value: (row) => row.day, cell: (row) => link(row.day) },
      { name: "Revenue", down: true, value: (row) => row.revenue_micro, cell: (row) => this.words.revenue(row) },
      { name: "Cost", down: true, value: (row) => row.cost_micro, cell: (row) => this.words.cost(row) },
      { name: "Profit", down: true, value: profit, cell: (row) => this.words.profit(row) },
      { name: "Exported", narrow: true, down: true, value: (row) => row.exported_wh, cell: (row) => energy(row.exported_wh) },
      { name: "Revenue / MWh", narrow: true, down: true, value: perMwh, cell: (row) => price(perMwh(row)) },
    ] });
    this.homes = new SortedTable({ caption: `Homes of the day, ${currency}`, column: 1, down: true, columns: [
      { name: "Home", value: (row) => row.home, cell: (row) => make("a", { href: `#/home/${encodeURIComponent(row.home)}` }, row.home) },
      { name: "Revenue", down: true, value: (row) => row.revenue_micro, cell: (row) => this.words.revenue(row) },
      { name: "Retail bill", down: true, value: (row) => row.cost_micro, cell: (row) => this.words.bill(row) },
      { name: "Load alone", narrow: true, down: true, value: (row) => row.baseline_micro, cell: (row) => this.words.alone(row) },
      { name: "Saving", down: true, value: saving, cell: (row) => this.words.saving(row) },
      { name: "Exported", narrow: true, down: true, value: (row) => row.exported_wh, cell: (row) => energy(row.exported_wh) },
    ] });
    this.filter = make("input", { type: "search", placeholder: "Home", "aria-label": "Home", autocomplete: "off", spellcheck: "false", oninput: () => this.listHomes() });
  }

  /** Show a day's homes, or without a day the fleet's days. */
  async enter(day) {
    this.day = isDay(day) ? day : null;
    byId("revenue-choice").querySelector(".spans").hidden = this.day !== null;
    say(byId("title-revenue"), this.day ? `Revenue of ${dayName(day)}` : "Revenue");
    byId("revenue-back").hidden = this.day === null;
    await (this.day ? this.loadHomes() : this.loadDays());
  }

  choose(days) {
    this.days = days;
    this.loadDays().catch((error) => this.app.failed(error));
  }

  nothing(words) {
    this.save.disabled = true;
    this.place.replaceChildren(make("p", { class: "card empty" }, words));
  }

  async loadDays() {
    const { days } = this;
    this.spans.forEach((button, place) => button.setAttribute("aria-pressed", String(SPANS[place][0] === days)));
    const found = await read("api/revenue", { limit: days });
    if (this.day || days !== this.days) return;
    this.rows = found.toReversed();
    if (!found.length) {
      this.nothing("No day is accounted yet. The step revenue does it, the day after each market day.");
      return;
    }
    this.save.disabled = false;
    const total = { revenue_micro: sum(found, (row) => row.revenue_micro), cost_micro: sum(found, (row) => row.cost_micro), exported_wh: sum(found, (row) => row.exported_wh) };
    this.words = alike([...found, total], FLEET);
    const big = moneyAlike([total.revenue_micro, total.cost_micro]);
    const { currency } = this.app.start;
    this.tiles.replaceChildren(
      tile("Revenue", big(total.revenue_micro), "what the market paid"), tile("Cost", big(total.cost_micro), "owed to homes, and lost"),
      tile("Profit", big(profit(total)), "what stays with the aggregator"), tile("Exported", energy(total.exported_wh), perMwh(total) === null ? "" : `${price(perMwh(total))} per MWh`));
    const drawn = axis(this.rows);
    const figure = (name, which) => [name, (slot) => this.words[which](this.rows[slot])];
    const span = this.rows.length > 1 ? `${plural(this.rows.length, "day")}, ${this.rows[0].day} to ${this.rows.at(-1).day}` : this.rows[0].day;
    this.card.show({
      words: `${span}: revenue ${big(total.revenue_micro)}, cost ${big(total.cost_micro)}, profit ${big(profit(total))}`,
      place: "Day", when: (slot) => this.rows[slot].day,
      drawing: { ...drawn, panels: [
        { unit: `Revenue up, cost down, ${currency} a day`, height: 150, format: plain, series: [
          { kind: "bars", role: "delivered", values: units(this.rows, (row) => row.revenue_micro), ...drawn.lists },
          { kind: "bars", role: "plan", values: units(this.rows, (row) => -row.cost_micro), ...drawn.lists },
          { kind: "line", role: "price", values: units(this.rows, profit), ...drawn.lists }] },
        { unit: "Exported, kWh a day", height: 70, format: plain, series: [{ kind: "bars", role: "idle", values: this.rows.map((row) => row.exported_wh / 1000), ...drawn.lists }] },
      ] },
      figures: [figure("Revenue", "revenue"), figure("Cost", "cost"), figure("Profit", "profit"), ["Exported", (slot) => energy(this.rows[slot].exported_wh)]],
    });
    // the table below is the same, and sorts
    this.card.details.hidden = true;
    this.table.show(this.rows, ["Sum", this.words.revenue(total), this.words.cost(total), this.words.profit(total), energy(total.exported_wh), price(perMwh(total))]);
    this.place.replaceChildren(this.tiles, this.card.card, make("div", { class: "card" }, this.table.element));
  }

  async loadHomes() {
    const { day } = this;
    const found = await read(`api/day/${day}/revenue`);
    if (day !== this.day) return;
    const fleet = found.find(({ home }) => home === null);
    this.rows = found.filter(({ home }) => home !== null);
    if (!found.length) {
      this.nothing(`${dayName(day)} is not accounted. The step revenue does it, the day after.`);
      return;
    }
    this.save.disabled = false;
    const saved = sum(this.rows, (row) => saving(row) ?? 0);
    this.words = alike(this.rows, HOME);
    const big = moneyAlike([fleet?.revenue_micro]);
    this.tiles.replaceChildren(
      tile("Revenue", big(fleet?.revenue_micro), "what the market paid"), tile("Owed to homes", big(sum(this.rows, (row) => row.revenue_micro)), plural(this.rows.length, "home")),
      tile("Profit", fleet ? big(profit(fleet)) : UNKNOWN, "what stays with the aggregator"), tile("Homes’ saving", money(saved), "less than their loads alone would have cost"));
    this.listHomes();
    this.place.replaceChildren(this.tiles, make("div", { class: "card" },
      make("div", { class: "head filters" }, this.filter, make("a", { href: `#/day/${day}` }, "The day’s steps")), this.homes.element));
  }

  listHomes() {
    const wanted = this.filter.value.trim().toLowerCase();
    const rows = this.rows.filter(({ home }) => home.toLowerCase().includes(wanted));
    const total = (value) => money(sum(rows, (row) => value(row) ?? 0));
    this.homes.show(rows, [rows.length === this.rows.length ? "Sum" : `Sum of ${count(rows.length)}`, total((row) => row.revenue_micro), total((row) => row.cost_micro), total((row) => row.baseline_micro), total(saving), energy(sum(rows, (row) => row.exported_wh))]);
  }

  keep() {
    const { currency } = this.app.start;
    if (this.day) {
      keep(`revenue-${this.day}.csv`, homesCsv(this.rows, currency));
      return;
    }
    const names = ["day", ...["revenue", "cost", "profit"].map((name) => `${name}_${currency.toLowerCase()}`), "exported_wh"];
    keep(`revenue-${this.rows[0].day}-${this.rows.at(-1).day}.csv`, csv(names, this.rows.map((row) => [row.day, row.revenue_micro / 1e6, row.cost_micro / 1e6, profit(row) / 1e6, row.exported_wh])));
  }
}
