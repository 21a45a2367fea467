// The homes as columns of figures, one place per home: ten thousand of them cost a few megabytes.

import { request } from "./session.js";

const FIGURES = ["soc", "battery_power_w", "load_w", "pv_w", "grid_power_w"];
/** Worst first. */
export const HEALTHS = ["alarm", "offline", "silent", "unknown", "ok"];

export class Fleet {
  /** `now()` is the service's time; a gateway is silent after `silentMs` without a word. [ms] */
  constructor(now, silentMs) {
    this.now = now;
    this.silentMs = silentMs;
    this.etag = null;
    this.ids = [];
    this.names = [];
    this.groups = [];
    this.alarmed = [];
    this.online = [];
    this.heard = [];
    this.places = new Map();
    for (const name of FIGURES) this[name] = [];
    this.listeners = new Set();
    this.loaded = false;
  }

  get size() { return this.ids.length; }

  /** Call `listener` when anything changed. */
  watch(listener) { this.listeners.add(listener); }

  tell() { for (const listener of this.listeners) listener(); }

  /** Ask for all homes; nothing is sent where nothing changed. */
  async load() {
    const headers = this.etag === null ? {} : { "If-None-Match": this.etag };
    const answer = await request("api/fleet", { headers, signal: AbortSignal.timeout(30_000) });
    if (answer.status === 304) return;
    this.etag = answer.headers.get("ETag");
    this.take(await answer.json());
    this.loaded = true;
    this.tell();
  }

  /** Take a view; a home of which something newer was told keeps that. */
  take(view) {
    const before = this.places;
    const old = { heard: this.heard, online: this.online };
    for (const name of FIGURES) old[name] = this[name];
    this.ids = view.ids;
    this.names = view.names;
    this.groups = view.groups;
    this.alarmed = view.health.map((health) => health === "alarm");
    this.online = view.health.map((health) => (health === "offline" ? false : null));
    this.heard = view.heard_ms;
    for (const name of FIGURES) this[name] = view[name];
    this.places = new Map(this.ids.map((id, place) => [id, place]));
    this.ids.forEach((id, place) => {
      const was = before.get(id);
      if (was === undefined || !(old.heard[was] > this.heard[place])) return;
      this.heard[place] = old.heard[was];
      this.online[place] = old.online[was];
      for (const name of FIGURES) this[name][place] = old[name][was];
    });
  }

  /** Take an event of kind `values`; returns whether all its homes are known. */
  merge(values) {
    let known = true;
    values.ids.forEach((id, from) => {
      const place = this.places.get(id);
      if (place === undefined) {
        known = false;
        return;
      }
      this.online[place] = values.online[from];
      this.heard[place] = values.heard_ms[from];
      for (const name of FIGURES) this[name][place] = values[name][from];
    });
    this.tell();
    return known;
  }

  /** How a home is; the service says the same. */
  health(place, now = this.now()) {
    if (this.alarmed[place]) return "alarm";
    if (this.online[place] === false) return "offline";
    const heard = this.heard[place];
    if (heard === null) return "unknown";
    return now - heard <= this.silentMs ? "ok" : "silent";
  }

  /** Sums over homes that are heard of, and how many are how. */
  summary() {
    const sums = { soc: 0, told: 0, heard: 0, newest: null };
    for (const name of FIGURES.slice(1)) sums[name] = null;
    const now = this.now();
    const healths = Object.fromEntries(HEALTHS.map((name) => [name, 0]));
    for (let place = 0; place < this.size; place += 1) {
      healths[this.health(place, now)] += 1;
      const heard = this.heard[place];
      if (heard === null || now - heard > this.silentMs) continue;
      sums.heard += 1;
      if (heard > sums.newest) sums.newest = heard;
      if (this.soc[place] !== null) {
        sums.soc += this.soc[place];
        sums.told += 1;
      }
      for (let which = 1; which < FIGURES.length; which += 1) {
        const value = this[FIGURES[which]][place];
        if (value !== null) sums[FIGURES[which]] += value;
      }
    }
    return { ...sums, soc: sums.told ? sums.soc / sums.told : null, healths };
  }

  /** Homes by their groups, in the groups' order. */
  byGroup() {
    const counts = new Map();
    for (const group of this.groups) {
      if (group) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return new Map([...counts].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true })));
  }

  /** How many homes a command's target is. */
  count(target) {
    if (target === "fleet") return this.size;
    if (target.startsWith("home:")) return 1;
    return this.groups.filter((group) => `group:${group}` === target).length;
  }
}
