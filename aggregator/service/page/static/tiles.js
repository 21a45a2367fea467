// What an operator sees first: the fleet now, in six figures.

import { byId, make, say, tile } from "./dom.js";
import { batteryWords, count, energy, gridWords, percent, plural, power, price, time, UNKNOWN } from "./format.js";

const NAMES = ["Homes heard", "State of charge", "Batteries", "Grid", "Promise under way", "Price"];

export class Tiles {
  constructor(app) {
    this.app = app;
    this.tiles = NAMES.map((name, place) => {
      const whole = tile(name, UNKNOWN, "", place === 4 ? "first" : "");
      const [, value, more] = whole.children;
      byId("tiles").append(whole);
      return { whole, value, more };
    });
    this.bar = make("i");
    this.tiles[1].whole.append(make("div", { class: "meter", "aria-hidden": "true" }, this.bar));
  }

  put(place, value, more, bad = false) {
    const shown = this.tiles[place];
    say(shown.value, value);
    say(shown.more, more);
    shown.whole.classList.toggle("bad", bad);
  }

  /** Show the fleet as it is now; `interval` is the one under way. */
  show(interval) {
    const { fleet } = this.app;
    if (!fleet.loaded) return;
    const now = fleet.summary();
    const { alarm, silent, offline, unknown } = now.healths;
    const words = [[alarm, "with alarms"], [silent, "silent"], [offline, "offline"], [unknown, "never heard"]];
    const trouble = words.filter(([number]) => number).map(([number, word]) => `${count(number)} ${word}`).join(", ");
    this.put(0, count(now.heard), fleet.size ? `of ${count(fleet.size)}; ${trouble || "all are well"}` : "no home is entered yet");
    this.put(1, percent(now.soc, 1), interval?.soc_planned == null ? now.told ? `mean of ${plural(now.told, "battery", "batteries")}` : "" : `${percent(interval.soc_planned, 1)} promised by ${time(interval.end_ms)}`);
    this.bar.style.transform = `scaleX(${now.soc ?? 0})`;
    this.put(2, power(now.battery_power_w === null ? null : Math.abs(now.battery_power_w)), now.battery_power_w === null ? "" : batteryWords(now.battery_power_w).split(" ")[0]);
    this.put(3, power(now.grid_power_w === null ? null : Math.abs(now.grid_power_w)), now.grid_power_w === null ? "" : `${gridWords(now.grid_power_w).split(" ")[0]}; solar ${power(now.pv_w)}, load ${power(now.load_w)}`);
    this.promise(interval);
    this.put(5, price(interval?.price_per_mwh), interval?.price_per_mwh == null ? "not known" : `per MWh until ${time(interval.end_ms)}`);
  }

  promise(interval) {
    if (!interval?.committed_wh) {
      this.put(4, UNKNOWN, interval ? `nothing promised until ${time(interval.end_ms)}` : "nothing is known of this interval");
      return;
    }
    const { committed_wh: wanted, delivered_wh: given, start_ms: from, end_ms: to } = interval;
    const past = (this.app.now() - from) / (to - from);
    const behind = given !== null && past > 0.1 && given < 0.9 * past * wanted;
    const told = given === null ? "nothing reported yet" : `${energy(given)} delivered, ${percent(given / wanted)}`;
    this.put(4, energy(wanted), `${told}, ${percent(past)} of the time`, behind);
  }
}
