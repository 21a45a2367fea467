// One home: as it is now, what was measured, its commands, its alarms, its devices.

import { Chart } from "./chart.js";
import { byId, legend, make, say, tile } from "./dom.js";
import { ago, batteryWords, both, gridWords, percent, plain, power, UNKNOWN } from "./format.js";
import { healthBadge } from "./homes.js";
import { fetched } from "./later.js";
import { read } from "./session.js";

const HOUR_MS = 3_600_000;
const SPANS = [[2, "2 h"], [24, "24 h"], [168, "7 days"], [720, "30 days"]];
const POWERS = [
  ["Battery", "accent", "storage.Active power"], ["Load", "load", "meter.consumption.Active power"],
  ["Solar", "pv", "meter.production.Active power"], ["Grid", "plan", "meter.grid.Active power"],
];
const SOC = "storage.State of charge";
const REFRESH_MS = 60_000;
const PAUSE_MS = 2_000;

export class HomeView {
  constructor(app) {
    this.app = app;
    this.place = byId("view-home");
    this.hours = 24;
  }

  /** Show a home. */
  async enter(id) {
    if (this.id !== id) {
      this.id = id;
      this.told = null;
      this.configuredWords = null;
      this.build();
    }
    if (!id) {
      this.absent("This address names no home.");
      return;
    }
    try {
      await this.load();
    } catch (error) {
      if (error.status !== 404 || id !== this.id) throw error;
      this.absent(error.message);
    }
  }

  /** There is no such home: say so in its place. */
  absent(line) {
    this.id = null;
    this.place.replaceChildren(make("a", { class: "wide-view", href: "#/homes" }, "‹ Homes"), this.title, make("p", { class: "card empty", role: "status" }, line));
  }

  build() {
    this.now = make("div", { class: "home-now", role: "group", "aria-label": "The home now" });
    this.lead = make("div", { class: "lead" });
    this.readout = make("p", { class: "readout", "aria-live": "polite" });
    const drawn = make("div", { class: "chart" });
    this.spans = SPANS.map(([hours, title]) => make("button", { type: "button", class: "small", "aria-pressed": String(hours === this.hours), onclick: () => this.choose(hours) }, title));
    this.commands = make("div");
    this.alarms = make("ul", { class: "alarms" });
    this.earned = make("div", { class: "market" });
    this.configured = make("section", { class: "card", "aria-labelledby": "title-configuration" }, make("h2", { id: "title-configuration" }, "Configuration"));
    this.title = make("h1", { id: "title-home", tabindex: -1 }, this.id || "Home");
    const command = make("button", { type: "button", class: "operator main", onclick: () => this.app.orders.open(`home:${this.id}`) }, "Command this home…");
    this.place.replaceChildren(
      make("div", { class: "head" }, make("div", {}, make("a", { class: "wide-view", href: "#/homes" }, "‹ Homes"), this.title, this.lead), command),
      this.now,
      make("section", { class: "card", "aria-labelledby": "title-series" },
        make("div", { class: "head" }, make("h2", { id: "title-series" }, "Measured"), make("div", { class: "spans", role: "group", "aria-label": "Span" }, this.spans)),
        make("ul", { class: "legend" }, legend([...POWERS.map(([name, role]) => [name, role, ""]), ["State of charge", "soc", ""]])), drawn, this.readout),
      this.earned,
      make("div", { class: "columns" },
        make("section", { class: "card", "aria-labelledby": "title-home-commands" }, make("h2", { id: "title-home-commands" }, "Commands"), this.commands),
        make("section", { class: "card", "aria-labelledby": "title-home-alarms" }, make("h2", { id: "title-home-alarms" }, "Alarms"), this.alarms)),
      this.configured);
    this.chart = new Chart(drawn, (slot) => this.readOut(slot));
  }

  choose(hours) {
    this.hours = hours;
    this.spans.forEach((button, place) => button.setAttribute("aria-pressed", String(SPANS[place][0] === hours)));
    this.series().catch((error) => this.app.failed(error));
  }

  get path() { return `api/homes/${encodeURIComponent(this.id)}`; }

  /** Ask for all of it; what is asked for later wins. */
  async load() {
    const id = this.id;
    const [home, devices, alarms, commands, { commandTable }] = await Promise.all([
      read(this.path), read(`${this.path}/devices`), read(`${this.path}/alarms`, { limit: 20 }), read(`${this.path}/commands`, { limit: 20 }), fetched("./failures.js"), this.series(),
    ]);
    if (id !== this.id) return;
    this.told = home.now;
    say(this.title, home.configuration?.name || id);
    this.about = [id, home.configuration?.group_name && `group ${home.configuration.group_name}`, home.retired && "out of use"].filter(Boolean).join(" · ");
    this.showNow();
    this.alarms.replaceChildren(...(alarms.items.length ? alarms.items.map((alarm) => this.app.alarms.row(alarm)) : [make("li", { class: "empty" }, "None.")]));
    this.commands.replaceChildren(commands.items.length ? commandTable(commands.items, { home: false }) : make("p", { class: "empty" }, "None was given."));
    await Promise.all([this.configuration(id, home, devices.items), this.revenue(id)]);
  }

  /** Show what the home earned and paid, where the service reckons it. */
  async revenue(id) {
    if (!this.app.start.runs_days) return;
    const { HomeDays } = await fetched("./revenue.js");
    this.days ??= new HomeDays(this.app);
    if (id !== this.id) return;
    const place = this.earned;
    // a drawing that has nothing to show yet has no name either
    if (this.days.element.parentNode !== place) place.hidden = true;
    place.replaceChildren(this.days.element);
    await this.days.load(id);
    place.hidden = false;
  }

  /** Show what is configured; its code comes with the first home. */
  async configuration(id, home, devices) {
    const words = JSON.stringify([id, home.version, home.retired, home.configuration, devices]);
    // what did not change keeps its place, and the focus
    if (words === this.configuredWords) return;
    const { Configuration } = await fetched("./configuration.js");
    this.card ??= new Configuration(this.app);
    if (id !== this.id) return;
    this.card.show(this.configured, id, home, devices);
    this.configuredWords = words;
  }

  /** Something was told of this home. */
  merge(values) {
    if (!this.told) return;
    this.told = { ...this.told, ...values, health: this.told.health === "alarm" ? "alarm" : values.online === false ? "offline" : "ok" };
    this.showNow();
  }

  /** Its commands or alarms changed. */
  update() {
    if (this.app.view !== "home") return;
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      if (this.id !== null) this.load().catch((error) => this.app.failed(error));
    }, PAUSE_MS);
  }

  async beat() {
    if (this.id !== null && this.askedMs !== undefined && Date.now() - this.askedMs >= REFRESH_MS) await this.load();
  }

  showNow() {
    const now = this.told;
    this.lead.replaceChildren(healthBadge(now.health), make("span", { class: "note" }, now.heard_ms === null ? this.about : `${this.about} · heard ${ago(now.heard_ms, this.app.now())}`));
    const doing = (words) => (words === UNKNOWN ? "" : words.split(" ")[0]);
    const size = (value) => power(value === null ? null : Math.abs(value));
    this.now.replaceChildren(
      tile("State of charge", percent(now.soc, 1)),
      tile("Battery", size(now.battery_power_w), doing(batteryWords(now.battery_power_w))),
      tile("Load", power(now.load_w)), tile("Solar", power(now.pv_w)),
      tile("Grid", size(now.grid_power_w), doing(gridWords(now.grid_power_w))));
  }

  async series() {
    const [id, hours] = [this.id, this.hours];
    this.askedMs = Date.now();
    const to = Math.floor(this.app.now());
    const from = to - hours * HOUR_MS;
    const ask = (channel) => read(`${this.path}/series`, { channel, from_ms: from, to_ms: to });
    const [soc, ...powers] = await Promise.all([ask(SOC), ...POWERS.map(([, , channel]) => ask(channel))]);
    if (id !== this.id || hours !== this.hours) return;
    this.found = { soc, powers };
    const slots = (soc.start_ms.length ? soc : powers.find(({ start_ms: starts }) => starts.length) ?? soc);
    this.slots = slots.start_ms.map((start, place) => ({ from: start, to: start + slots.covered_ms[place] }));
    const spread = ({ start_ms: starts, covered_ms: covered, mean, low, high }) => ({ from: starts, to: starts.map((start, place) => start + covered[place]), values: mean, low, high });
    const kilo = (list) => list.map((each) => each / 1000);
    const told = powers.reduce((sum, { start_ms: starts }) => sum + starts.length, soc.start_ms.length);
    this.chart.show({
      span: [from, to], zone: this.app.start.zone, nowMs: null, slots: this.slots,
      label: told ? `What was measured in the last ${hours} hours. Arrow keys go through it.` : `Nothing was measured in the last ${hours} hours.`,
      panels: [
        { unit: "Power into each, kW (solar: out of it)", height: 190, format: plain, series: POWERS.map(([, role], place) => {
          const line = spread(powers[place]);
          return { kind: "line", role, style: "thin", from: line.from, to: line.to, values: kilo(line.values), ...(place === 0 && { low: kilo(line.low), high: kilo(line.high) }) };
        }) },
        { unit: "State of charge, %", height: 90, format: plain, least: 0, most: 100, series: [{ kind: "line", role: "soc", ...spread(soc) }] },
      ],
    });
    this.readOut(null);
  }

  readOut(slot) {
    if (!this.slots?.length) {
      say(this.readout, "Nothing was measured in this span.");
      return;
    }
    const at = this.slots[slot ?? this.slots.length - 1].from;
    const find = (series) => {
      const place = series.start_ms.indexOf(at);
      return place < 0 ? null : series.mean[place];
    };
    const figures = [["charge", percent(find(this.found.soc) === null ? null : find(this.found.soc) / 100, 1)], ...POWERS.map(([name], place) => [name.toLowerCase(), power(find(this.found.powers[place]))])];
    this.readout.replaceChildren(make("span", {}, make("b", {}, slot === null ? `Last, ${both(at)}` : both(at))),
      ...figures.filter(([, value]) => value !== UNKNOWN).map(([name, value]) => make("span", {}, `${name} `, make("b", {}, value))));
  }
}
