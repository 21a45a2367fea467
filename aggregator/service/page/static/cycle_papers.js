// What the steps of a day made: offer, forecasts against what came, plan, reliability.

import { DrawnCard } from "./drawn.js";
import { make, say } from "./dom.js";
import { count, dayName, energy, percent, plain, plural, power, price, time } from "./format.js";
import { SortedTable } from "./sorted.js";

const SOURCES = { knn: "by neighbours", linear: "by regression" };
const QUANTITIES = { demand_wh: "Demand", production_wh: "Production" };
const STATUS = { proved: "proved: no plan costs less", gap: "good, not proved", heuristic: "by a heuristic", fallback: "a fallback" };
const PLANS = [["replan", "For the award"], ["plan", "Before the market"]];
const kilo = (list) => list.map((each) => (each === null || each === undefined ? null : each / 1000));
const sum = (list) => list.reduce((total, each) => total + (each ?? 0), 0);

/** The intervals of a day as a drawing takes them. */
const axis = ({ start_ms: from, end_ms: end, zone }, nowMs) => {
  const to = [...from.slice(1), end];
  return { span: [from[0], end], zone, nowMs, slots: from.map((start, place) => ({ from: start, to: to[place] })), lists: { from, to } };
};

export class CyclePapers {
  constructor(app) {
    this.app = app;
    const { currency } = app.start;
    this.currency = currency;
    this.offer = new DrawnCard({ id: "offer", title: "Offer", lines: [
      ["Limit price", "plan", "dash"], ["Market’s price", "price", ""], ["Bid", "plan", "fill"], ["Awarded", "ink", "hollow"],
      ["More export possible", "delivered", "fill"], ["Less export possible", "load", "fill"]] });
    this.forecast = new DrawnCard({ id: "forecast", title: "Forecast, and what came", lines: [["What came", "delivered", "fill"], ["By neighbours", "plan", ""], ["By regression", "soc", "dash"]] });
    this.scores = new SortedTable({ caption: "How far off the forecasts were", columns: [
      { name: "Forecast", words: true, value: (each) => `${each.quantity} ${each.source}`, cell: (each) => [`${QUANTITIES[each.quantity] ?? each.quantity} ${SOURCES[each.source] ?? each.source} `, this.chosen?.[each.quantity] === each.source ? make("span", { class: "badge good" }, "planned with") : ""] },
      { name: "Off by", value: (each) => each.relative, cell: (each) => percent(each.relative, 1) },
      { name: "Mean error", value: (each) => each.mean_absolute, cell: (each) => energy(each.mean_absolute) },
      { name: "Bias", narrow: true, value: (each) => each.bias, cell: (each) => `${each.bias > 0 ? "+" : ""}${energy(each.bias)}` },
      { name: "Intervals", narrow: true, value: (each) => each.slots, cell: (each) => count(each.slots) },
    ] });
    this.forecast.below.append(this.scores.element);
    this.choices = PLANS.map(([kind, words]) => make("button", { type: "button", class: "small", onclick: () => this.choosePlan(kind) }, words));
    this.plan = new DrawnCard({ id: "plan", title: "Plan", beside: make("div", { class: "spans", role: "group", "aria-label": "Which plan" }, this.choices), lines: [
      ["Charge, export", "meter", "fill"], ["Discharge, import", "plan", "fill"], ["State of charge", "soc", ""]] });
    this.reliable = make("p", { class: "note" });
    this.batteries = new SortedTable({ caption: "Reliability of the batteries", column: 1, rows: 12, columns: [
      { name: "Home", value: (each) => each.home, cell: (each) => make("a", { href: `#/home/${encodeURIComponent(each.home)}` }, each.home) },
      { name: "Counted on", value: (each) => each.score, cell: (each) => percent(each.score, 1) },
      { name: "Refused", down: true, value: (each) => each.failures, cell: (each) => count(each.failures) },
      { name: "Unanswered", narrow: true, down: true, value: (each) => each.missed, cell: (each) => count(each.missed) },
      { name: "Not heard for", down: true, value: (each) => each.disconnected_ms, cell: (each) => (each.disconnected_ms ? `${count(Math.round(each.disconnected_ms / 60_000))} min` : "0 min") },
    ] });
    this.cards = [this.offer.card, this.forecast.card, this.plan.card,
      make("section", { class: "card", "aria-labelledby": "title-reliability" }, make("div", { class: "head" }, make("h2", { id: "title-reliability" }, "Reliability of the batteries"), this.reliable), this.batteries.element)];
  }

  /** Show what was made of a day. */
  show(day, { scores, reliability }) {
    this.day = day;
    this.axis = axis(day, this.app.now());
    this.showOffer();
    this.kind = day.papers.replan ? "replan" : "plan";
    this.showPlan();
    this.showReliability(reliability);
    if (this.forecastDay !== day.day) this.forecast.empty("Looking…");
    this.chosen = day.papers.forecast?.sources;
    this.showScores(scores);
  }

  /** Lists by interval out of rows that name theirs. */
  byInterval(rows, name) {
    const { slots } = this.axis;
    const first = slots[0].from / (slots[0].to - slots[0].from);
    const values = slots.map(() => null);
    for (const row of rows) if (row.interval - first in values) values[row.interval - first] = row[name];
    return values;
  }

  drawing(panels) { return { ...this.axis, panels: panels.map((panel) => ({ format: plain, ...panel, series: panel.series.map((series) => ({ ...this.axis.lists, ...series })) })) }; }

  when(slot) { return `${time(this.axis.slots[slot].from)}–${time(this.axis.slots[slot].to)}`; }

  /** Columns out of lists: [name, slot => words]. */
  figures(columns) { return columns.map(([name, list, format]) => [name, (slot) => format(list[slot])]); }

  showOffer() {
    const { offer, award } = this.day.papers;
    if (!offer) {
      this.offer.empty("Nothing is offered yet: the step offer makes it.");
      return;
    }
    const of = (rows) => (name) => this.byInterval(rows, name);
    const [bid, flexible] = [of(offer.bids), of(offer.flexibility)];
    const [quantity, limit, up, down] = [bid("quantity_wh"), bid("limit_price_per_mwh"), flexible("up_w"), flexible("down_w")];
    const [upPrice, downPrice] = [flexible("up_price_per_mwh"), flexible("down_price_per_mwh")];
    const [awarded, market] = [award?.quantity_wh ?? [], award?.price_per_mwh ?? []];
    const taken = award ? `; ${energy(sum(awarded))} awarded` : "; the award is not there yet";
    this.offer.show({
      words: `${plural(offer.bids.length, "bid")} of ${energy(sum(quantity))}${taken}`,
      when: (slot) => this.when(slot),
      drawing: this.drawing([
        { unit: `${this.currency} per MWh`, height: 70, series: [{ kind: "step", role: "price", values: market }, { kind: "step", role: "plan", style: "dash", values: limit }] },
        { unit: "Bid, kWh per interval", height: 96, series: [{ kind: "bars", role: "plan", values: kilo(quantity) }, { kind: "hollow", role: "ink", values: kilo(awarded).map((each) => each || null) }] },
        { unit: "Flexibility, kW: more export up, less down", height: 110, series: [{ kind: "bars", role: "delivered", values: kilo(up) }, { kind: "bars", role: "load", values: kilo(down).map((each) => each === null ? null : -each) }] },
      ]),
      figures: this.figures([["Bid", quantity, energy], ["At least, per MWh", limit, price], ["Awarded", awarded.map((each) => each || null), energy], ["Market, per MWh", market, price],
        ["More export", up, power], ["For, per MWh", upPrice, price], ["Less export", down, power], ["At most, per MWh", downPrice, price]]),
    });
  }

  /** Show forecasts and what came; they are asked for after the rest. */
  showForecasts(day, found) {
    this.forecastDay = day.day;
    const known = found.filter(({ expected }) => Object.keys(expected).length);
    if (!known.length) {
      this.forecast.empty("Nothing is forecast yet: the step forecast makes it.");
      return;
    }
    const total = ({ expected, quantity }) => energy(sum(expected[this.chosen?.[quantity]] ?? Object.values(expected)[0]));
    this.forecast.show({
      words: `Expected: ${known.map((each) => `${(QUANTITIES[each.quantity] ?? each.quantity).toLowerCase()} ${total(each)}`).join(", ")}`,
      when: (slot) => this.when(slot),
      drawing: this.drawing(known.map(({ quantity, expected, came }) => ({
        unit: `${QUANTITIES[quantity] ?? quantity} of the fleet, kWh per interval`, height: 110, series: [
          { kind: "bars", role: "delivered", values: kilo(came) },
          { kind: "line", role: "plan", values: kilo(expected.knn ?? []) },
          { kind: "line", role: "soc", style: "dash", values: kilo(expected.linear ?? []) }],
      }))),
      figures: this.figures(known.flatMap(({ quantity, expected, came }) => [
        [`${QUANTITIES[quantity] ?? quantity} came`, came, energy],
        ...Object.entries(expected).map(([source, values]) => [`${QUANTITIES[quantity] ?? quantity} ${SOURCES[source] ?? source}`, values, energy])])),
    });
  }

  showScores(scores) {
    this.scores.element.hidden = scores.length === 0;
    this.scores.show(scores);
  }

  choosePlan(kind) {
    this.kind = kind;
    this.showPlan();
  }

  showPlan() {
    const plan = this.day.papers[this.kind];
    this.choices.forEach((button, place) => {
      button.setAttribute("aria-pressed", String(PLANS[place][0] === this.kind));
      button.hidden = !this.day.papers[PLANS[place][0]];
    });
    if (!plan) {
      this.plan.empty("Nothing is planned yet: the step plan makes it.");
      return;
    }
    const net = (into, out) => into.map((each, place) => each - out[place]);
    const [battery, grid] = [net(plan.charge_wh, plan.discharge_wh), net(plan.export_wh, plan.import_wh)];
    const above = (list) => kilo(list.map((each) => Math.max(each, 0)));
    const below = (list) => kilo(list.map((each) => Math.min(each, 0)));
    const soc = plan.soc.slice(-battery.length);
    const status = `${STATUS[plan.status.kind] ?? plan.status.kind}${plan.status.gap ? ` (within ${percent(plan.status.gap, 2)})` : ""}${plan.reason ? `: ${plan.reason}` : ""}`;
    this.plan.show({
      words: `${dayName(this.day.day)}, ${status}. Expected cost ${price(plan.cost)}; export ${energy(sum(plan.export_wh))}, import ${energy(sum(plan.import_wh))}`,
      when: (slot) => this.when(slot),
      drawing: this.drawing([
        { unit: "Batteries, kWh: charge up, discharge down", height: 96, series: [{ kind: "bars", role: "meter", values: above(battery) }, { kind: "bars", role: "plan", values: below(battery) }] },
        { unit: "Grid, kWh: export up, import down", height: 96, series: [{ kind: "bars", role: "meter", values: above(grid) }, { kind: "bars", role: "plan", values: below(grid) }] },
        { unit: "State of charge, %", height: 70, least: 0, most: 100, series: [{ kind: "line", role: "soc", at: "end", values: soc.map((each) => each * 100) }] },
      ]),
      figures: this.figures([["Charge", plan.charge_wh, energy], ["Discharge", plan.discharge_wh, energy], ["Export", plan.export_wh, energy], ["Import", plan.import_wh, energy], ["State of charge", soc, (each) => percent(each, 1)]]),
    });
    const { broken } = plan;
    this.plan.above.replaceChildren(...(broken.length ? [make("p", { class: "warn-text" }, `${plural(broken.length, "limit")} broken: ${broken.slice(0, 5).map((each) => `${each.limit} by ${energy(each.amount_wh)}`).join(", ")}${broken.length > 5 ? " …" : ""}`)] : []));
  }

  showReliability(scored) {
    const mean = scored.length ? sum(scored.map(({ score }) => score)) / scored.length : null;
    const weak = scored.filter(({ score }) => score < 0.9).length;
    say(this.reliable, scored.length ? `${plural(scored.length, "battery", "batteries")}, counted on with ${percent(mean, 1)} on average; ${weak ? `${count(weak)} below 90 %` : "none below 90 %"}` : "Not scored yet: the step reliability does it, after the day.");
    this.batteries.element.hidden = scored.length === 0;
    this.batteries.show(scored);
  }
}
