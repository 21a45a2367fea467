// One order: what was asked of whom, what became of it in each home, and every answer as it came.

import { make, say, table } from "./dom.js";
import { commandTable, whyWords } from "./failures.js";
import { both, commandWords, count, plural, second, targetWords, UNKNOWN } from "./format.js";
import { keepFocus } from "./later.js";
import { outcomes, STATES } from "./orders.js";
import { read } from "./session.js";
import "./sheet.js";

const PAGE = 200;
const MOST = 1000;
const ANSWERS = 100;
/** Clocks that differ by less are as good as one. [ms] */
const CLOCK_MS = 3_000;
const escaped = encodeURIComponent;

const rowWords = ({ device, details, quantity, last, unit }) => `${[device, details, quantity].filter(Boolean).join(" ")}: ${last ?? UNKNOWN} ${unit ?? ""}`;

/** What an answer says, in words. */
const answerWords = ({ kind, body }) => {
  const why = [whyWords(body.code), body.reason].filter(Boolean).join(": ");
  if (kind === "acknowledgement") return `${body.accepted ? "taken" : "not taken"}${why ? `: ${why}` : ""}`;
  return [body.outcome, why, ...(Array.isArray(body.rows) ? body.rows.map(rowWords) : [])].filter(Boolean).join(", ");
};

const elapsed = (ms) => `${(ms / 1000).toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s`;

export class OrderPage {
  constructor(app, id) {
    Object.assign(this, { app, id, commands: [], next: null, state: "", answers: [], answersNext: null });
    this.lead = make("div", { class: "card" });
    this.choices = make("div", { class: "spans", role: "group", "aria-label": "State" });
    this.list = make("div", { class: "wide" });
    this.more = make("button", { type: "button", class: "more-rows", onclick: () => this.fetch(this.next).catch((error) => app.failed(error)) }, "More homes");
    this.seek = make("input", { type: "search", placeholder: "Home", "aria-label": "Answers of home", autocomplete: "off", spellcheck: "false", oninput: () => this.listAnswers() });
    this.given = make("div", { class: "wide stacked" });
    this.earlier = make("button", { type: "button", class: "more-rows", onclick: () => this.fetchAnswers(this.answersNext).catch((error) => app.failed(error)) }, "Earlier answers");
    this.place = make("div", { class: "view" }, this.lead,
      make("section", { class: "card", "aria-labelledby": "title-order-homes" }, make("div", { class: "head" }, make("h2", { id: "title-order-homes" }, "Homes"), this.choices), this.list, this.more),
      make("section", { class: "card", "aria-labelledby": "title-order-answers" }, make("div", { class: "head" }, make("h2", { id: "title-order-answers" }, "Answers as they came"), this.seek), this.given, this.earlier));
  }

  /** Ask for all that is shown; again, for what is new of it. */
  async load() {
    const [order] = await Promise.all([read(`api/orders/${escaped(this.id)}`), this.fetch(null), this.fetchAnswers(null)]);
    this.order = order;
    this.show();
    this.listAnswers();
  }

  /** A page of its commands; the first one is put over those that are shown. */
  async fetch(cursor) {
    const page = await read(`api/commands/${escaped(this.id)}`, { cursor, limit: cursor === null ? Math.min(MOST, Math.max(PAGE, this.commands.length)) : MOST });
    const known = new Set(page.items.map((each) => each.correlation_id));
    this.commands = [...(cursor === null ? page.items : this.commands), ...(cursor === null ? this.commands.filter((each) => !known.has(each.correlation_id)) : page.items)];
    if (cursor !== null || this.commands.length === page.items.length) this.next = page.next;
    if (this.order) this.show();
  }

  async fetchAnswers(cursor) {
    const page = await read(`api/orders/${escaped(this.id)}/answers`, { cursor, limit: ANSWERS });
    const newest = this.answers[0]?.number ?? 0;
    const fresh = page.items.filter(({ number }) => cursor !== null || number > newest);
    // more than a page came since: what lies between is not known, so begin anew
    const anew = cursor === null && (newest === 0 || (fresh.length === page.items.length && page.next !== null));
    if (anew) this.answers = page.items;
    else this.answers = cursor === null ? [...fresh, ...this.answers] : [...this.answers, ...fresh];
    if (anew || cursor !== null) this.answersNext = page.next;
    if (this.order) this.listAnswers();
  }

  show() {
    const { order } = this;
    const fact = (name, words) => [make("dt", {}, name), make("dd", {}, words)];
    this.lead.replaceChildren(
      make("h2", {}, `${targetWords(order.target)}: ${commandWords(order.body)}`),
      outcomes(order),
      make("dl", { class: "facts" }, fact("Given", `${both(order.asked_ms)}, by ${order.asked_by}`), fact("To be begun until", `${both(order.expires_ms)} (${second(order.expires_ms)})`), fact("Homes", count(order.homes)),
        fact("Order", make("code", {}, order.request_id))));
    const states = STATES.filter((state) => order.states[state]);
    const choice = (state, title) => make("button", { type: "button", class: "small", "aria-pressed": String(state === this.state), onclick: () => this.choose(state) }, title);
    keepFocus(this.choices, () => this.choices.replaceChildren(...(states.length > 1 ? [choice("", `All ${count(order.homes)}`), ...states.map((state) => choice(state, `${count(order.states[state])} ${state}`))] : [])));
    const rows = this.commands.filter(({ state }) => !this.state || state === this.state);
    keepFocus(this.list, () => this.list.replaceChildren(rows.length ? commandTable(rows) : make("p", { class: "empty" }, "None of those that are shown.")));
    this.more.hidden = this.next === null;
    say(this.more, `More homes: ${count(this.commands.length)} of ${count(order.homes)} are here`);
  }

  /** Show the homes in one state; all of them are fetched for that. */
  async choose(state) {
    this.state = state;
    try {
      while (this.state && this.next !== null && this.commands.filter((each) => each.state === state).length < Math.min(PAGE, this.order.states[state])) await this.fetch(this.next);
      this.show();
    } catch (error) {
      this.app.failed(error);
    }
  }

  /** Whether an answer was the one that came after its command's time. */
  late(answer) {
    if (typeof answer.late === "boolean") return answer.late;
    const command = this.commands.find((each) => each.correlation_id === answer.correlation_id);
    return answer.kind === "outcome" && command !== undefined && command.late && answer.heard_ms >= command.finished_ms;
  }

  listAnswers() {
    const wanted = this.seek.value.trim().toLowerCase();
    const rows = this.answers.filter(({ home }) => home.toLowerCase().includes(wanted));
    const opened = new Set([...this.given.querySelectorAll("details[open]")].map(({ dataset }) => dataset.number));
    const gap = ({ at_ms: at, heard_ms: heard }) => (Math.abs(heard - at) < CLOCK_MS ? "" : `, by its own clock ${second(at)}`);
    const columns = [
      { name: "Heard", cell: (each) => make("span", {}, `${both(each.heard_ms).replace(/, [\d:]+$/, "")}, ${second(each.heard_ms)}${gap(each)}`) },
      { name: "Home", words: true, cell: ({ home }) => make("a", { href: `#/home/${escaped(home)}` }, home) },
      { name: "Kind", words: true, narrow: true, cell: ({ kind }) => kind },
      { name: "It says", words: true, cell: (each) => make("details", { class: "answer", "data-number": each.number, open: opened.has(String(each.number)) },
        make("summary", {}, `${answerWords(each)} `, this.late(each) ? make("span", { class: "badge warn" }, "late") : null), make("pre", {}, JSON.stringify(each.body, null, 1))) },
      { name: "After", narrow: true, cell: ({ heard_ms: heard }) => elapsed(heard - this.order.asked_ms) },
    ];
    keepFocus(this.given, () => this.given.replaceChildren(rows.length ? table("Answers, newest first", columns, rows) : make("p", { class: "empty" }, this.answers.length ? "None of those that are shown." : "Nothing was answered yet.")));
    this.earlier.hidden = this.answersNext === null;
    say(this.earlier, `Earlier answers: ${plural(this.answers.length, "answer")} here`);
  }
}
