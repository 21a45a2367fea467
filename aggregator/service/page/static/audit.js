// The audit log: who did what when, and who was refused.

import { versionsOf } from "./configuration.js";
import { byId, make, table } from "./dom.js";
import { both, count, second } from "./format.js";
import { read } from "./session.js";
import "./sheet.js";
import { toLocal } from "./zoned.js";

const KEPT = /^(home|device|tariff) (\S+)$/;
const GIVEN = /^home:(\S+)$/;

const words = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));

/** What something was done to, as a way there. */
const target = (deed) => {
  const [, kind, key] = KEPT.exec(deed.target) ?? [];
  if (kind) return make("a", { href: versionsOf(kind, key) }, deed.target);
  const order = deed.detail.request_id;
  if (order) return make("a", { href: `#/commands/${encodeURIComponent(order)}` }, deed.target);
  const [, home] = GIVEN.exec(deed.target) ?? [];
  return home ? make("a", { href: `#/home/${encodeURIComponent(home)}` }, deed.target) : deed.target;
};

const detail = (deed) => Object.entries(deed.detail).filter(([, value]) => value !== "" && value !== null).map(([name, value]) => (name.endsWith("_ms") ? `${name.slice(0, -3)} ${both(value)}` : `${name.replaceAll("_", " ")} ${words(value)}`)).join(", ");

export class AuditView {
  constructor(app) {
    this.app = app;
    this.text = make("input", { type: "search", "aria-label": "Who, what or to what", placeholder: "Who, what or to what", autocomplete: "off", spellcheck: "false", oninput: () => this.show() });
    this.outcome = make("select", { "aria-label": "Outcome", onchange: () => this.show() }, [["", "All"], ["done", "Done"], ["refused", "Refused"]].map(([value, title]) => make("option", { value }, title)));
    this.told = make("p", { class: "note", role: "status" });
    this.list = make("div");
    byId("audit").replaceChildren(make("form", { class: "filters", role: "search", "aria-label": "Audit log", onsubmit: (event) => event.preventDefault() }, this.text, this.outcome), this.told, this.list);
  }

  async enter() {
    if (!this.app.canCommand) {
      byId("audit").replaceChildren(make("p", { class: "card empty" }, "The audit log is for operators."));
      return;
    }
    this.items = [];
    await this.more(null);
  }

  async more(cursor) {
    const page = await read("api/audit", { cursor, limit: 200 });
    this.items.push(...page.items);
    this.next = page.next;
    this.show();
  }

  show() {
    const wanted = this.text.value.trim().toLowerCase();
    const rows = this.items.filter((deed) => (!this.outcome.value || deed.outcome === this.outcome.value) && (!wanted || `${deed.who}\n${deed.action}\n${deed.target}\n${detail(deed)}`.toLowerCase().includes(wanted)));
    const oldest = this.items.at(-1);
    this.told.textContent = oldest ? `${count(rows.length)} of the latest ${count(this.items.length)} entries${this.next === null ? ", which are all" : `, back to ${both(oldest.at_ms)}`}` : "";
    const columns = [
      { name: "When", cell: (deed) => make("time", { title: new Date(deed.at_ms).toISOString() }, `${toLocal(deed.at_ms, this.app.start.zone).slice(0, 10)} ${second(deed.at_ms)}`) },
      { name: "Who", words: true, cell: (deed) => deed.who },
      { name: "What", words: true, cell: (deed) => (deed.outcome === "refused" ? make("span", {}, `${deed.action} `, make("span", { class: "badge bad" }, "refused")) : deed.action) },
      { name: "To what", words: true, cell: target },
      { name: "More", words: true, narrow: true, cell: detail },
    ];
    this.list.replaceChildren(make("div", { class: "card wide stacked" }, rows.length ? table("Audit log, newest first", columns, rows) : make("p", { class: "empty" }, "There is none.")),
      this.next === null || this.next === undefined ? "" : make("button", { type: "button", class: "more-rows", onclick: () => this.more(this.next).catch((error) => this.app.failed(error)) }, "Earlier ones"));
  }
}
