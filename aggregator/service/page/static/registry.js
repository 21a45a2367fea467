// The registry: homes to be added or brought back, tariffs, and the way to the audit log.

import { buttons, changing, versionsOf } from "./configuration.js";
import { all, called, clockOf, exact } from "./configured.js";
import { byId, make, say, table } from "./dom.js";
import { plural, UNKNOWN } from "./format.js";
import "./sheet.js";

const inUse = ({ retired }) => (retired ? make("span", { class: "badge" }, "out of use") : "in use");
const prices = ({ terms }) => make("ul", { class: "prices" }, terms.periods.map((each) => make("li", {}, `${clockOf(each.start_minute)}: ${exact(each.import_price_per_mwh)} / ${exact(each.export_price_per_mwh)}`)));

export class RegistryView {
  constructor(app) {
    this.app = app;
    this.place = byId("registry");
    this.homes = make("div");
    this.tariffs = make("div");
    const add = (kind) => (app.canCommand ? changing(app, `Add a ${kind}…`, `Add a ${kind}`, (edit) => edit.add(kind)) : null);
    const others = make("details", {}, make("summary", {}, "Homes out of use, and homes that were never configured"), this.homes);
    others.addEventListener("toggle", () => { if (others.open) this.seek().catch((error) => app.failed(error)); });
    this.others = others;
    this.count = make("p", { class: "note" }, make("span"), "Each is configured on ", make("a", { href: "#/homes" }, "its own page"), ".");
    app.fleet.watch(() => this.tally());
    this.place.replaceChildren(
      make("section", { class: "card", "aria-labelledby": "title-registry-homes" },
        make("div", { class: "head" }, make("h2", { id: "title-registry-homes" }, "Homes"), add("home")), this.count,
        app.canCommand ? make("p", { class: "note" }, "Many at once: ", make("code", {}, "gridpact serve homes import FILE"), " at the service’s computer.") : "", others),
      make("section", { class: "card", "aria-labelledby": "title-registry-tariffs" },
        make("div", { class: "head" }, make("h2", { id: "title-registry-tariffs" }, "Tariffs"), add("tariff")), this.tariffs),
      app.canCommand ? make("section", { class: "card", "aria-labelledby": "title-registry-audit" },
        make("div", { class: "head" }, make("h2", { id: "title-registry-audit" }, "Who did what"), make("a", { href: "#/audit" }, "Audit log"))) : "");
  }

  tally() {
    const { fleet } = this.app;
    say(this.count.firstChild, fleet.loaded ? `${plural(fleet.size, "home")} in use. ` : "");
  }

  async enter() {
    this.tally();
    const [tariffs] = await Promise.all([all("api/tariffs"), this.others.open ? this.seek() : null]);
    const columns = [
      { name: "Tariff", cell: (each) => make("span", {}, make("b", {}, each.id), each.configuration.name ? ` ${each.configuration.name}` : "") },
      { name: `From: import / export, ${this.app.start.currency} per MWh`, words: true, cell: (each) => prices(each.configuration) },
      { name: "A day", narrow: true, cell: (each) => exact(each.configuration.terms.standing_charge_per_day) },
      { name: "State", words: true, narrow: true, cell: inUse },
      { name: "Version", cell: (each) => make("a", { href: versionsOf("tariff", each.id), "aria-label": `Version ${each.version} of ${called("tariff", each.id)}: all versions` }, String(each.version)) },
    ];
    if (this.app.canCommand) columns.push({ name: "Change", cell: (each) => make("div", { class: "buttons" }, buttons(this.app, "tariff", each.id, each)) });
    this.tariffs.replaceChildren(tariffs.length ? make("div", { class: "wide stacked" }, table("Tariffs", columns, tariffs)) : make("p", { class: "empty" }, "There is no tariff yet."));
  }

  /** Look through all homes for those that the view of the fleet does not have, or knows by their id alone. */
  async seek() {
    this.homes.replaceChildren(make("p", { class: "empty" }, "Looking through all homes…"));
    const found = (await all("api/homes")).filter(({ retired, version }) => retired || version === 0);
    const columns = [
      { name: "Home", cell: (each) => make("a", { href: `#/home/${encodeURIComponent(each.id)}` }, each.id) },
      { name: "Name", words: true, narrow: true, cell: (each) => each.configuration.name || UNKNOWN },
      { name: "State", words: true, cell: (each) => (each.version === 0 ? "never configured" : inUse(each)) },
    ];
    if (this.app.canCommand) columns.push({ name: "Change", cell: (each) => make("div", { class: "buttons" }, buttons(this.app, "home", each.id, each)) });
    this.homes.replaceChildren(found.length ? make("div", { class: "wide stacked" }, table("Homes out of use or never configured", columns, found)) : make("p", { class: "empty" }, "There is none: every home is configured and in use."));
  }
}
