// The versions of a thing: who made which, when and why; what differs between two of them; and an
// older one put back.

import { changing } from "./configuration.js";
import { called, differences, KINDS } from "./configured.js";
import { byId, make, say, table } from "./dom.js";
import { UNKNOWN } from "./format.js";
import { read, Refused } from "./session.js";
import "./sheet.js";
import { fromLocal, toLocal } from "./zoned.js";

const LABELS = { terms: "prices", retired: "in use", group_name: "group", tariff_id: "tariff" };
const words = (name) => LABELS[name] ?? name.replace(/_(wh|w|deg)$/, "").replaceAll("_", " ");

export class HistoryView {
  constructor(app) {
    this.app = app;
    this.list = make("div");
    this.differing = make("div", { "aria-live": "polite" });
    this.older = make("select", { id: "history-older", onchange: () => this.compare() });
    this.newer = make("select", { id: "history-newer", onchange: () => this.compare() });
    this.at = make("input", { type: "datetime-local", id: "history-at", onchange: () => this.inForce() });
    this.told = make("p", { class: "note", role: "status" });
    // what there is to choose from, where there is something
    this.when = make("div", { class: "filters" }, make("label", { class: "choice", for: "history-at" }, "In force at ", this.at), this.told);
    byId("history").replaceChildren(
      make("section", { class: "card", "aria-labelledby": "title-versions" }, make("h2", { id: "title-versions" }, "All versions"), this.list, this.when),
      this.two = make("section", { class: "card", "aria-labelledby": "title-differing" }, make("h2", { id: "title-differing" }, "What differs"),
        make("div", { class: "filters" }, make("label", { class: "choice", for: "history-older" }, "Between ", this.older), make("label", { class: "choice", for: "history-newer" }, "and ", this.newer)), this.differing));
  }

  /** Show the versions of the thing that the address names, such as device/home-7/storage; without one, of the same anew. */
  async enter(thing = this.thing) {
    this.thing = thing;
    const [kind, ...rest] = thing.split("/");
    const names = rest.filter(Boolean);
    // an address that was cut short names nothing
    Object.assign(this, { kind: Object.hasOwn(KINDS, kind) ? kind : "home", key: names.length === (kind === "device" ? 2 : 1) ? names.join("/") : "" });
    const [home = ""] = names;
    const back = byId("history-back");
    const registry = this.kind === "tariff" || !home;
    back.href = registry ? "#/registry" : `#/home/${encodeURIComponent(home)}`;
    say(back, registry ? "‹ Registry" : `‹ ${home}`);
    say(byId("title-history"), this.key ? `Versions of ${called(this.kind, this.key)}` : "Versions");
    this.items = [];
    try {
      if (!this.key) throw new Refused(404, "This address names nothing.");
      await this.more(null);
    } catch (error) {
      if (error.status !== 404) throw error;
      this.show(null);
      this.list.replaceChildren(make("p", { class: "empty", role: "status" }, error.message));
    }
  }

  async more(cursor) {
    const key = this.key;
    const page = await read(`${KINDS[this.kind].path(key)}/history`, { cursor, limit: 100 });
    if (key !== this.key) return;
    this.items.push(...page.items);
    this.show(page.next);
  }

  show(next) {
    const { app, items, kind, key } = this;
    const latest = items[0]?.version;
    const columns = [
      { name: "Version", cell: (each) => String(each.version) },
      { name: "When", words: true, cell: (each) => this.date(each.changed_ms) },
      { name: "Who", words: true, cell: (each) => each.changed_by },
      { name: "Why", words: true, narrow: true, cell: (each) => each.comment || UNKNOWN },
      { name: "Changed", words: true, narrow: true, cell: (each) => (each.version === 1 ? "new" : each.changed.map(words).join(", ") || UNKNOWN) },
      { name: "Compare or put back", cell: (each) => make("div", { class: "buttons" },
        items.every(({ version }) => version !== each.version - 1) ? null : make("button", { type: "button", class: "small", "aria-label": `What version ${each.version} changed`, onclick: () => this.choose(each.version - 1, each.version) }, "Differences"),
        app.canCommand && each.version !== latest ? changing(app, "Put back…", `Put version ${each.version} back`, (edit) => edit.restore(kind, key, each)) : null) },
    ];
    this.list.replaceChildren(items.length ? make("div", { class: "wide stacked" }, table(`Versions of ${called(kind, key)}, newest first`, columns, items)) : make("p", { class: "empty" }, "It was never configured."),
      next === null ? "" : make("button", { type: "button", class: "more-rows", onclick: () => this.more(next).catch((error) => app.failed(error)) }, "Earlier ones"));
    this.when.hidden = items.length === 0;
    this.two.hidden = items.length < 2;
    for (const choice of [this.older, this.newer]) choice.replaceChildren(...items.map(({ version, changed_ms: at }) => make("option", { value: version }, `version ${version}, ${this.date(at)}`)));
    this.choose(items[1]?.version ?? latest, latest);
    this.at.value = toLocal(app.now(), app.start.zone);
    this.inForce();
  }

  /** A date with its year: versions are kept for ever. */
  date(ms) { return toLocal(ms, this.app.start.zone).replace("T", " "); }

  choose(older, newer) {
    this.older.value = older;
    this.newer.value = newer;
    this.compare();
  }

  compare() {
    const find = (choice) => this.items.find(({ version }) => version === Number(choice.value))?.configuration;
    const [before, after] = [find(this.older), find(this.newer)];
    const told = before && after ? differences(this.kind, before, after) : [];
    this.differing.replaceChildren(told.length ? make("div", { class: "wide" }, table("What differs", [
      { name: "What", cell: ({ label }) => label },
      { name: `Version ${this.older.value}`, words: true, cell: (each) => each.before },
      { name: `Version ${this.newer.value}`, words: true, cell: (each) => each.after },
    ], told)) : make("p", { class: "empty" }, this.items.length > 1 ? "Nothing." : ""));
  }

  /** Say which version was in force at the time that was chosen. */
  inForce() {
    const ms = this.at.value ? fromLocal(this.at.value, this.app.start.zone) : NaN;
    // to the minute that was chosen, all of it
    const found = this.items.find(({ changed_ms: at }) => at < ms + 60_000);
    say(this.told, Number.isNaN(ms) ? "" : found ? `Version ${found.version} was in force${found.configuration.retired ? ", out of use" : ""}.` : "No version that is listed here was in force yet.");
  }
}
