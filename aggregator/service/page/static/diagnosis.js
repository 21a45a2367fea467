// What failed how often: commands by their end, by the battery's model and by home within a time, and
// the commands behind each figure.

import { Behind, filters } from "./behind.js";
import { byId, make, say, table, tile } from "./dom.js";
import { whyWords } from "./failures.js";
import { both, count, percent, targetWords, UNKNOWN } from "./format.js";
import { keepFocus } from "./later.js";
import { BAD, stateBadge } from "./orders.js";
import { read } from "./session.js";
import "./sheet.js";
import { fromLocal, toLocal } from "./zoned.js";

const HOUR_MS = 3_600_000;
const SPANS = [[24, "24 h"], [168, "7 days"], [720, "30 days"]];
const HOURS = 168;
const HOURS_MOST = 1e5;
/** Many commands that come to an end are one asking; [ms] at least, and so many times what that takes. */
const PAUSE_MS = 3_000;
const PAUSE_TIMES = 10;

const bar = (share, kind = "failed") => {
  const part = make("i");
  part.style.transform = `scaleX(${Math.min(1, share)})`;
  return make("span", { class: `meter ${kind}`, "aria-hidden": "true" }, part);
};
const sum = (rows, name) => rows.reduce((total, each) => total + each[name], 0);

export class DiagnosisView {
  constructor(app) {
    this.app = app;
    this.spans = SPANS.map(([hours, title]) => make("a", { class: "button small", href: `#/diagnosis/?hours=${hours}`, "data-hours": hours }, title));
    [this.from, this.to] = ["From", "Until"].map((label) => make("input", { type: "datetime-local", "aria-label": label }));
    const times = this.times = make("form", { class: "filters", "aria-label": "Time" },
      make("div", { class: "spans", role: "group", "aria-label": "Span" }, this.spans),
      make("label", { class: "choice" }, "from ", this.from), make("label", { class: "choice" }, "until ", this.to), make("button", {}, "Show"));
    times.addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose();
    });
    this.problem = make("p", { class: "error", role: "alert" });
    this.body = make("div", { class: "diagnosis" });
    this.behind = new Behind(app, this.body);
    byId("diagnosis").replaceChildren(times, this.problem, this.body);
  }

  /** Take the time of the two fields. */
  choose() {
    const { zone } = this.app.start;
    const [from, to] = [this.from, this.to].map(({ value }) => (value ? fromLocal(value, zone) : NaN));
    const wrong = Number.isNaN(from) || Number.isNaN(to) ? "Give both times." : from >= to ? "The first time is not before the second." : "";
    say(this.problem, wrong);
    if (!wrong) location.hash = `#/diagnosis/?from=${from}&to=${to}`;
  }

  /** Show what the address asks for: a time, and perhaps a figure. */
  async enter() {
    const asked = new URLSearchParams(location.hash.split("?")[1] ?? "");
    const [from, to] = ["from", "to"].map((name) => Number(asked.get(name)) || null);
    const hours = Number(asked.get("hours"));
    // an address may be typed by hand
    this.hours = from === null || to === null || from >= to ? (hours > 0 && hours < HOURS_MOST ? hours : HOURS) : null;
    this.toMs = this.hours === null ? to : Math.ceil(this.app.now());
    this.fromMs = this.hours === null ? from : this.toMs - this.hours * HOUR_MS;
    say(this.problem, "");
    [this.from.value, this.to.value] = [this.fromMs, this.toMs].map((ms) => toLocal(ms, this.app.start.zone));
    for (const each of this.spans) each.toggleAttribute("aria-current", Number(each.dataset.hours) === this.hours);
    this.chosen = filters(asked);
    if (this.chosen.length) await this.behind.show(this.chosen, this.fromMs, this.toMs, this.address({}));
    else await this.figures();
  }

  /** Commands came to an end: ask again soon, where figures of the present are shown. */
  update() {
    if (this.app.view !== "diagnosis" || this.hours === null || this.chosen.length) return;
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      // not under the hands of who chooses a time
      if (this.app.view === "diagnosis" && !this.times.contains(document.activeElement)) this.enter().catch((error) => this.app.failed(error));
    }, Math.max(PAUSE_MS, PAUSE_TIMES * (this.tookMs ?? 0)));
  }

  /** The address of a figure, or of all of them. */
  address(filter) {
    const span = this.hours === null ? { from: this.fromMs, to: this.toMs } : { hours: this.hours };
    return `#/diagnosis/?${new URLSearchParams({ ...span, ...filter })}`;
  }

  /** The way to the commands behind a figure; nothing leads to none. */
  figure(value, what, filter) {
    if (!value) return make("span", { class: "none" }, count(value));
    return make("a", { href: this.address(filter), "aria-label": `${count(value)} ${what}` }, count(value));
  }

  async figures() {
    const turn = (this.turn = {});
    const begunMs = Date.now();
    const told = await read("api/diagnosis/commands", { from_ms: this.fromMs, to_ms: this.toMs });
    this.tookMs = Date.now() - begunMs;
    if (turn !== this.turn || this.chosen.length) return;
    keepFocus(this.body, () => this.draw(told));
  }

  draw(told) {
    if (!told.commands) {
      this.body.replaceChildren(make("p", { class: "card empty" }, `No command was given from ${both(this.fromMs)} until ${both(this.toMs)}.`));
      return;
    }
    const failed = sum(told.by_code.filter(({ state }) => BAD.has(state)), "commands");
    const open = sum(told.by_code.filter(({ state }) => !BAD.has(state) && state !== "done"), "commands");
    const part = (value) => `${percent(value / told.commands, 1)} of all`;
    const repeated = sum(told.by_model, "repeated");
    const late = sum(told.by_code, "late");
    const card = (id, title, content) => make("section", { class: "card", "aria-labelledby": id }, make("h2", { id }, title), make("div", { class: "wide" }, content));
    this.body.replaceChildren(
      make("div", { class: "tiles", role: "group", "aria-label": "All commands" },
        tile("Given", count(told.commands), "a command is to one home"),
        tile("Failed", this.figure(failed, "failed", { failed: "" }), part(failed), failed ? "bad" : ""),
        tile("Sent more than once", this.figure(repeated, "sent more than once", { repeated: "" }), part(repeated)),
        tile("Answered late", this.figure(late, "answered late", { late: "" }), part(late)),
        tile("Under way", this.figure(open, "under way", { open: "" }), part(open))),
      card("title-by-code", "By what became of them", this.byCode(told)),
      card("title-by-kind", "By what was asked", this.tallies("Kind", told.by_kind, (name) => ({ kind: name }))),
      card("title-by-model", "By the battery’s model", this.tallies("Model", told.by_model, (name) => ({ model: name }))),
      card("title-by-home", told.by_home.length === 100 ? "By home: the hundred that failed most" : "By home, those with a failure",
        told.by_home.length ? this.tallies("Home", told.by_home, (name) => ({ home: name })) : make("p", { class: "empty" }, "None failed.")),
      card("title-by-order", told.orders.length === 50 ? "Orders: the fifty that failed at most homes" : "Orders of which something failed",
        told.orders.length ? this.byOrder(told.orders) : make("p", { class: "empty" }, "None.")));
  }

  byOrder(orders) {
    return table("Orders, those that failed at most homes first", [
      { name: "Given", cell: (each) => make("a", { href: `#/commands/${encodeURIComponent(each.request_id)}` }, both(each.asked_ms)) },
      { name: "Whom", words: true, cell: ({ target }) => targetWords(target) },
      { name: "What", words: true, cell: ({ kind }) => kind },
      { name: "Homes", cell: ({ failed }) => count(failed) },
    ], orders);
  }

  byCode(told) {
    return table("By what became of them, the most frequent first", [
      { name: "State", cell: stateBadge },
      { name: "Why", words: true, cell: ({ code }) => (code === null ? UNKNOWN : make("span", {}, `${whyWords(code)} `, make("code", { class: "muted hide-narrow" }, code))) },
      { name: "Commands", cell: (each) => this.figure(each.commands, `${each.state} ${each.code ?? ""}`, { state: each.state, code: each.code ?? "" }) },
      { name: "Share", narrow: true, cell: (each) => make("span", { class: "share" }, bar(each.commands / told.commands, BAD.has(each.state) ? "failed" : each.state), percent(each.commands / told.commands, 1)) },
      { name: "Late", narrow: true, cell: (each) => this.figure(each.late, `late ${each.state}`, { state: each.state, code: each.code ?? "", late: "" }) },
    ], told.by_code.map((each) => ({ ...each, late: each.late ?? 0 })));
  }

  /** A table by a name; `filter` is that of the commands of one. */
  tallies(title, rows, filter) {
    const lead = (value, what, name, more) => this.figure(value, `${what}: ${name || "not configured"}`, { ...filter(name), ...more });
    return table(`By ${title.toLowerCase()}, the one that failed most first`, [
      { name: title, cell: ({ name }) => (title === "Home" ? make("a", { href: `#/home/${encodeURIComponent(name)}` }, name) : name || "not configured") },
      { name: "Given", narrow: true, cell: ({ name, commands }) => lead(commands, "given", name, {}) },
      { name: "Failed", cell: ({ name, failed }) => lead(failed, "failed", name, { failed: "" }) },
      { name: "Share", cell: ({ commands, failed }) => make("span", { class: "share" }, bar(failed / commands), percent(failed / commands, 1)) },
      { name: "Sent again", narrow: true, cell: ({ name, repeated }) => lead(repeated, "sent again", name, { repeated: "" }) },
    ], rows);
  }
}
