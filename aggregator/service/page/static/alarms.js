// Alarms: the open ones beside the fleet, all of them on a page, spoken when they come.

import { byId, make, say, toast } from "./dom.js";
import { ago, both } from "./format.js";
import { post, read } from "./session.js";

const BESIDE = 5;
/** Many events in a moment are one asking. [ms] */
const PAUSE_MS = 400;
/** Kinds that are no words. */
const WORDS = { soc: "state of charge" };
const KINDS = { critical: "bad", error: "bad", warning: "warn", info: "" };

export class AlarmsView {
  constructor(app) {
    this.app = app;
    this.latest = null;
    this.state = byId("alarms-state");
    this.state.addEventListener("change", () => this.list().catch((error) => app.failed(error)));
  }

  /** Ask again soon; many changes are one asking. */
  update() {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.load().catch((error) => this.app.failed(error));
    }, PAUSE_MS);
  }

  enter() { return this.list(); }

  /** Ask for those that nobody has seen yet. */
  async load() {
    const page = await read("api/alarms", { state: "raised", limit: 100 });
    const badge = byId("alarm-count");
    badge.hidden = page.items.length === 0;
    const many = `${page.items.length}${page.next === null ? "" : "+"}`;
    say(badge, many);
    badge.setAttribute("aria-label", `${many} nobody has seen`);
    this.announce(page.items);
    const rows = page.items.slice(0, BESIDE).map((alarm) => this.row(alarm));
    byId("open-alarms").replaceChildren(...(rows.length ? rows : [make("li", { class: "empty" }, "There is none that nobody has seen.")]));
    if (this.app.view === "alarms") await this.list();
  }

  announce(items) {
    const newest = items[0]?.number ?? 0;
    const fresh = this.latest === null ? [] : items.filter(({ number }) => number > this.latest);
    this.latest = Math.max(newest, this.latest ?? 0);
    if (fresh.length) byId("announcer").textContent = fresh.length === 1 ? `Alarm: ${fresh[0].line}` : `${fresh.length} new alarms`;
  }

  async list(cursor = null) {
    const state = this.state.value;
    const pages = await Promise.all((state === "open" ? ["raised", "acknowledged"] : [state]).map((each) => read("api/alarms", { state: each, cursor, limit: 100 })));
    const items = pages.flatMap((page) => page.items).sort((one, other) => other.number - one.number);
    const rows = items.map((alarm) => this.row(alarm));
    const place = byId("alarms-list");
    if (cursor === null) place.replaceChildren(make("ul", { class: "alarms card" }, rows.length ? rows : make("li", { class: "empty" }, "There is none.")));
    else place.querySelector("ul").append(...rows);
    place.querySelector(".more-rows")?.remove();
    const following = pages.map(({ next }) => next).filter((next) => next !== null);
    if (following.length) place.append(make("button", { type: "button", class: "more-rows", onclick: () => this.list(Math.max(...following)).catch((error) => this.app.failed(error)) }, "Earlier ones"));
  }

  row(alarm) {
    const mark = alarm.state === "resolved" ? "" : KINDS[alarm.severity] ?? "warn";
    const told = [both(alarm.raised_ms), ago(alarm.raised_ms, this.app.now()), alarm.state === "raised" ? null : alarm.state].filter(Boolean).join(" · ");
    return make("li", { "data-number": alarm.number },
      make("div", {},
        make("div", { class: "line" }, alarm.home === null ? null : make("a", { href: `#/home/${encodeURIComponent(alarm.home)}` }, alarm.home), alarm.home === null ? "" : ": ", alarm.line),
        make("div", { class: "since" }, make("span", { class: `badge ${mark}` }, WORDS[alarm.kind] ?? alarm.kind), ` ${told}`)),
      this.app.canCommand && alarm.state !== "resolved" ? make("div", { class: "buttons" },
        alarm.state === "raised" ? this.button(alarm, "acknowledge", "Acknowledge") : null,
        this.button(alarm, "resolve", "Resolve")) : null);
  }

  button(alarm, deed, title) {
    return make("button", { type: "button", class: "small", "aria-label": `${title}: ${alarm.line}`, onclick: (event) => this.tell(alarm, deed, event.currentTarget) }, title);
  }

  async tell(alarm, deed, button) {
    button.disabled = true;
    try {
      await post(`api/alarms/${alarm.number}/${deed}`);
      toast(`Alarm ${alarm.number}: ${deed}d`);
      await this.load();
      await this.app.alarmsChanged();
    } catch (error) {
      button.disabled = false;
      this.app.failed(error);
    }
  }
}
