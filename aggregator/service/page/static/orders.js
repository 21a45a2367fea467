// Commands: a dialog that asks what and whom, says it back with the number of homes, and only then
// sends; and what became of what was sent.

import { byId, make, say, table, toast } from "./dom.js";
import { both, commandWords, count, plural, targetWords } from "./format.js";
import { fetched, keepFocus } from "./later.js";
import { post, read, Refused } from "./session.js";

const WHATS = [
  ["discharge", "Discharge", ["power", "interval"]], ["charge", "Charge", ["power", "interval"]],
  ["power reference", "Hold a power at the grid", ["reference", "interval"]],
  ["profile", "Self-consumption", ["backup"]], ["stop", "Stand by", []], ["release", "Release: the controller takes over", []],
];
const WITHIN_S = [[60, "a minute"], [300, "5 minutes"], [900, "15 minutes"], [3600, "an hour"]];
const ROLES = { done: "price", accepted: "delivered", sent: "accent", waiting: "idle", refused: "bad", expired: "pv", unanswered: "plan", aborted: "warn" };
/** Worst first. */
export const STATES = ["refused", "unanswered", "aborted", "expired", "waiting", "sent", "accepted", "done"];
/** What came to nothing, or not to its end. */
export const BAD = new Set(["refused", "unanswered", "aborted", "expired"]);
const PAUSE_MS = 1_000;

const field = (label, input) => {
  input.id = `order-${input.name}`;
  return make("div", { class: "field", "data-field": input.name }, make("label", { for: input.id }, label), input);
};
const number = (name, value, least, most) => make("input", { type: "number", name, value, min: least, max: most, step: "any", required: true, inputmode: "decimal" });
const choice = (name, options, chosen) => make("select", { name }, options.map(([value, title]) => make("option", { value, selected: value === chosen }, title)));

export class OrdersView {
  constructor(app) {
    this.app = app;
    this.dialog = byId("order");
    byId("new-command").addEventListener("click", () => this.open("fleet"));
  }

  /** Ask what a home, a group or the fleet is to do. */
  open(target) {
    const { fleet } = this.app;
    const targets = [["fleet", `The fleet (${plural(fleet.size, "home")})`], ...[...fleet.byGroup()].map(([name, homes]) => [`group:${name}`, `Group ${name} (${plural(homes, "home")})`])];
    if (target.startsWith("home:")) targets.unshift([target, target.slice(5)]);
    const direction = choice("direction", [["export", "Export"], ["import", "Import"]], "export");
    const form = make("form", { method: "dialog" },
      make("h2", { id: "order-title" }, "Command"),
      field("Whom", choice("target", targets, target)),
      field("What", choice("what", WHATS, "discharge")),
      field("Power, % of the rated power", number("power", 50, 0, 100)),
      make("div", { class: "pair", "data-field": "reference" }, field("Direction", direction), field("Power of each home, W", number("reference", 500, 0, 1e9))),
      field("For how long, minutes", number("interval", 30, 1, 1440)),
      field("Keep at least, % of the capacity", number("backup", 20, 0, 100)),
      field("May be begun within", choice("within", WITHIN_S, target.startsWith("home:") ? 60 : 300)),
      make("div", { class: "buttons" }, make("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"), make("button", { class: "main" }, "Review…")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.confirm(this.order(form.elements), form);
    });
    form.elements.what.addEventListener("change", () => this.fit(form));
    this.fit(form);
    this.dialog.replaceChildren(form);
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Show the fields that a command has. */
  fit(form) {
    const [, , fields] = WHATS.find(([name]) => name === form.elements.what.value);
    for (const name of ["power", "reference", "interval", "backup"]) {
      for (const place of form.querySelectorAll(`[data-field="${name}"]`)) place.hidden = !fields.includes(name);
      form.elements[name].disabled = !fields.includes(name);
    }
  }

  order(fields) {
    const write = fields.what.value;
    const value = (name) => Number(fields[name].value);
    const command = {
      charge: () => ({ write, power: value("power"), interval: value("interval") }),
      discharge: () => ({ write, power: value("power"), interval: value("interval") }),
      "power reference": () => ({ write, power_w: value("reference") * (fields.direction.value === "import" ? 1 : -1), interval: value("interval") }),
      profile: () => ({ write, profile: "self-consumption", backup: value("backup") }),
    }[write]?.() ?? { write };
    return { target: fields.target.value, command, expires_in_s: Number(fields.within.value) };
  }

  /** How many of a target's homes will not hear it. */
  deaf(target) {
    const { fleet } = this.app;
    const meant = (place) => target === "fleet" || target === `group:${fleet.groups[place]}` || target === `home:${fleet.ids[place]}`;
    return fleet.ids.filter((_, place) => meant(place) && (fleet.online[place] === false || fleet.heard[place] === null)).length;
  }

  /** Say it back, with the number of homes; sent is what is confirmed. */
  confirm(order, form) {
    const homes = this.app.fleet.count(order.target);
    const deaf = this.deaf(order.target);
    const within = WITHIN_S.find(([s]) => s === order.expires_in_s)[1];
    const send = make("button", { type: "button", class: "main", onclick: () => this.send(order, send) }, `Send to ${plural(homes, "home")}`);
    const back = make("button", { type: "button", onclick: () => { this.dialog.replaceChildren(form); form.elements.what.focus(); } }, "Back");
    this.dialog.replaceChildren(make("div", { class: "form" },
      make("h2", { id: "order-title" }, "Send this command?"),
      make("p", { class: homes > 1 ? "says many" : "says", id: "order-says" },
        make("b", {}, plural(homes, "home")), ` (${targetWords(order.target)}): `, make("b", {}, commandWords(order.command)), `. It may be begun within ${within}.`),
      deaf ? make("p", { class: "note" }, `${count(deaf)} of them offline or never heard: they will not hear it unless they come back in time.`) : null,
      make("p", { class: "note" }, "It outranks the controller. It stands in the audit log under your token."),
      (this.problem = make("p", { class: "error", role: "alert" })),
      make("div", { class: "buttons" }, back, send)));
    // not the button that sends: Enter twice must not command ten thousand homes
    back.focus();
  }

  async send(order, button) {
    button.disabled = true;
    try {
      const placed = await post("api/commands", order);
      this.dialog.close();
      toast(`Sent to ${plural(placed.homes, "home")}: ${commandWords(order.command)}`);
      const there = "#/commands";
      if (location.hash === there) await this.enter();
      else location.hash = there;
    } catch (error) {
      button.disabled = false;
      if (!(error instanceof Refused) && error.name !== "TimeoutError") throw error;
      // beside the button: what lies behind the dialog is neither read nor spoken
      say(this.problem, error.message);
    }
  }

  /** Ask again soon, where the list is shown. */
  update() {
    this.app.later.diagnosis?.update();
    if (this.app.view !== "commands") return;
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.enter(this.shown).catch((error) => this.app.failed(error));
    }, PAUSE_MS);
  }

  /** Show all orders, or one of them by its id. */
  async enter(id = null) {
    this.shown = id;
    byId("commands-back").hidden = id === null;
    say(byId("title-commands"), id === null ? "Commands" : "One command");
    if (id) await this.one(id);
    else await this.all();
  }

  /** Ask for a page of orders; the first one is put over those that are shown. */
  async all(cursor = null) {
    const page = await read("api/orders", { cursor });
    if (this.shown !== null) return;
    const known = new Set(page.items.map((each) => each.request_id));
    const before = this.items ?? [];
    const anew = cursor === null && !before.some((each) => known.has(each.request_id));
    if (anew) this.items = page.items;
    else this.items = cursor === null ? [...page.items, ...before.filter((each) => !known.has(each.request_id))] : [...before, ...page.items];
    if (anew || cursor !== null || this.items.length === page.items.length) this.next = page.next;
    keepFocus(byId("commands-list"), () => this.list());
  }

  list() {
    const columns = [
      { name: "Given", cell: (each) => make("a", { href: `#/commands/${encodeURIComponent(each.request_id)}` }, both(each.asked_ms)) },
      { name: "Whom", words: true, cell: (each) => `${targetWords(each.target)} (${plural(each.homes, "home")})` },
      { name: "What", words: true, cell: (each) => commandWords(each.body) },
      { name: "By", words: true, narrow: true, cell: (each) => each.asked_by },
      { name: "What became of it", words: true, cell: (each) => outcomes(each) },
    ];
    byId("commands-list").replaceChildren(
      make("div", { class: "card wide stacked" }, this.items.length ? table("Orders, newest first", columns, this.items) : make("p", { class: "empty" }, "No command was given in the last 30 days.")),
      this.next === null ? "" : make("button", { type: "button", class: "more-rows", onclick: () => this.all(this.next).catch((error) => this.app.failed(error)) }, "Earlier ones"));
  }

  /** Show one order; its code comes with the first. */
  async one(id) {
    const { OrderPage } = await fetched("./order.js");
    if (this.shown !== id) return;
    if (this.order?.id !== id) this.order = new OrderPage(this.app, id);
    const show = (content) => { if (this.shown === id && !content.isConnected) byId("commands-list").replaceChildren(content); };
    try {
      await this.order.load();
      show(this.order.place);
    } catch (error) {
      if (error.status !== 404 && error.status !== 422) throw error;
      this.order = null;
      show(make("p", { class: "card empty", role: "status" }, error.message));
    }
  }
}

/** A command's state, as it is seen at once. */
export const stateBadge = ({ state, late }) => make("span", { class: `badge ${BAD.has(state) ? "bad" : state === "done" ? "good" : ""}` }, late === true ? `${state}, late` : state);

/** What became of an order, as a bar and in words. */
export const outcomes = (order) => {
  const states = STATES.filter((state) => order.states[state]);
  const bar = make("span", { class: "progress", "aria-hidden": "true" }, states.toReversed().map((state) => {
    const part = make("i", { "--role": `var(--${ROLES[state]})` });
    part.style.flexGrow = order.states[state];
    return part;
  }));
  return make("div", {}, bar, make("span", { class: "note" }, states.map((state) => `${count(order.states[state])} ${state}`).join(", "), order.late ? `, ${count(order.late)} late` : ""));
};
