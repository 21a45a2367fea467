// The commands behind a figure of the diagnosis, newest first.

import { make, table } from "./dom.js";
import { whyWords } from "./failures.js";
import { both, commandWords, plural } from "./format.js";
import { BAD, stateBadge } from "./orders.js";
import { read } from "./session.js";

const PAGE = 1000;
/** So many are shown, or looked through, before it is asked whether to go on. */
const ENOUGH = 100;
const PAGES_MOST = 10;
const escaped = encodeURIComponent;

/**
 * What a figure counts, and how it is said; the filter is of the address. The service chooses by state,
 * code, kind and model itself, and knows the model alone.
 */
const HOLDS = {
  state: [(command, value) => command.state === value, (value) => value],
  code: [(command, value) => (command.code ?? "") === value, (value) => whyWords(value)],
  kind: [(command, value) => (command.body.write ?? "read") === value, (value) => value],
  model: [() => true, (value) => `model ${value || "not configured"}`],
  home: [(command, value) => command.home === value, (value) => `home ${value}`],
  failed: [(command) => BAD.has(command.state), () => "failed"],
  open: [(command) => !BAD.has(command.state) && command.state !== "done", () => "still under way"],
  repeated: [(command) => command.sends > 1, () => "sent more than once"],
  late: [(command) => command.late, () => "answered late"],
};

/** What the service is asked for, of a filter. */
const asked = ([name, value]) => {
  if (name === "failed") return ["failed", "true"];
  return name === "model" || (["state", "code", "kind"].includes(name) && value) ? [name, value] : null;
};

/** Return the filters of an address that we know, as [name, value]. */
export const filters = (words) => [...words].filter(([name]) => name in HOLDS);

/** Say which commands are meant. */
const filterWords = (chosen) => chosen.map(([name, value]) => HOLDS[name][1](value)).filter(Boolean).join(", ");

export class Behind {
  constructor(app, place) {
    this.app = app;
    this.place = place;
  }

  /** Show the commands that hold, given within a time [ms]; `back` leads to all figures. */
  async show(chosen, fromMs, toMs, back) {
    const turn = (this.turn = {});
    const home = chosen.find(([name]) => name === "home")?.[1];
    const path = home === undefined ? "api/commands" : `api/homes/${escaped(home)}/commands`;
    const wanted = [["from_ms", fromMs], ["limit", PAGE], ...(home === undefined ? chosen.map(asked).filter(Boolean) : [])];
    Object.assign(this, { chosen, fromMs, back, found: [], over: false, path: `${path}?${new URLSearchParams(wanted)}` });
    // a cursor is the time and id of the last command of the page before: these are all earlier than the end
    this.cursor = `${Math.ceil(toMs)}~!`;
    this.place.replaceChildren(make("p", { class: "card empty" }, "Looking through the commands…"));
    await this.more(turn);
  }

  async more(turn = this.turn) {
    const enough = this.found.length + ENOUGH;
    for (let pages = 0; pages < PAGES_MOST && this.found.length < enough && !this.over; pages += 1) {
      const page = await read(`${this.path}&${new URLSearchParams({ cursor: this.cursor })}`);
      if (turn !== this.turn) return;
      const within = page.items.filter(({ asked_ms: at }) => at >= this.fromMs);
      this.found.push(...within.filter((command) => this.chosen.every(([name, value]) => HOLDS[name][0](command, value))));
      this.cursor = page.next;
      this.over = page.next === null || within.length < page.items.length;
    }
    this.draw();
  }

  draw() {
    const columns = [
      { name: "Given", cell: (each) => make("a", { href: `#/commands/${escaped(each.request_id)}` }, both(each.asked_ms)) },
      { name: "Home", words: true, cell: (each) => make("a", { href: `#/home/${escaped(each.home)}` }, each.home) },
      { name: "What", words: true, cell: (each) => commandWords(each.body) },
      { name: "State", words: true, cell: stateBadge },
      { name: "Why", words: true, narrow: true, cell: (each) => [whyWords(each.code), each.reason].filter(Boolean).join(": ") },
      { name: "Sent", narrow: true, cell: (each) => plural(each.sends, "time") },
    ];
    const told = `${plural(this.found.length, "command")}${this.over ? "" : " so far"}: ${filterWords(this.chosen)}`;
    this.place.replaceChildren(make("p", {}, make("a", { href: this.back }, "‹ All figures"), " ", make("span", { role: "status" }, told)),
      make("div", { class: "card wide stacked" }, this.found.length ? table("Commands, newest first", columns, this.found) : make("p", { class: "empty" }, "None.")),
      this.over ? "" : make("button", { type: "button", class: "more-rows", onclick: () => this.more().catch((error) => this.app.failed(error)) }, "Look further back"));
  }
}
