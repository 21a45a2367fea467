// What was settled, newest first, with the transaction of each interval.

import { byId, make, table, toast } from "./dom.js";
import { both, energy, isoDay, money, percent, price, UNKNOWN } from "./format.js";
import { read } from "./session.js";

const PLACE = "{transaction}";

export class SettlementView {
  constructor(app) {
    this.app = app;
    this.rows = [];
  }

  async enter() {
    this.rows = [];
    await this.more(null);
  }

  async more(cursor) {
    const page = await read("api/settlement", { cursor, limit: 96 });
    this.rows.push(...page.items);
    this.show(page.next);
  }

  show(next) {
    const place = byId("settlement-list");
    if (!this.rows.length) {
      place.replaceChildren(make("p", { class: "card empty" }, "Nothing is settled yet."));
      return;
    }
    const columns = [
      { name: "Interval", cell: (each) => (this.app.start.runs_days ? make("a", { href: `#/day/${isoDay(each.start_ms)}` }, both(each.start_ms)) : both(each.start_ms)) },
      { name: "Promised", narrow: true, cell: (each) => energy(each.commitment_wh) },
      { name: "Delivered", cell: (each) => energy(each.delivered_wh) },
      { name: "Kept", narrow: true, cell: (each) => (each.commitment_wh ? percent(each.delivered_wh / each.commitment_wh, 1) : UNKNOWN) },
      { name: "Price / MWh", narrow: true, cell: (each) => price(each.price_micro_per_mwh / 1e6) },
      { name: "Revenue", cell: (each) => money(each.revenue_micro) },
      { name: "Fee", narrow: true, cell: (each) => money(each.fee_micro) },
      { name: "Loss", narrow: true, cell: (each) => (each.loss_micro ? money(each.loss_micro) : UNKNOWN) },
    ];
    // the embedded ledger has none
    if (this.rows.some(({ transaction }) => transaction !== null)) columns.push({ name: "Transaction", cell: (each) => this.transaction(each.transaction) });
    place.replaceChildren(make("div", { class: "card wide" }, table("Settled intervals, newest first", columns, this.rows)));
    if (next !== null) place.append(make("button", { type: "button", class: "more-rows", onclick: () => this.more(next).catch((error) => this.app.failed(error)) }, "Earlier ones"));
  }

  /** A link where an explorer is known, else the hash to copy. */
  transaction(hash) {
    if (hash === null) return UNKNOWN;
    const short = hash.length > 14 ? `${hash.slice(0, 8)}…${hash.slice(-4)}` : hash;
    const url = this.app.start.explorer_url;
    if (url) return make("a", { class: "hash", title: hash, href: url.replace(PLACE, encodeURIComponent(hash)), target: "_blank", rel: "noopener noreferrer" }, short);
    return make("button", { type: "button", class: "small hash", title: hash, "aria-label": `Copy transaction ${hash}`, onclick: () => this.copy(hash) }, short);
  }

  async copy(hash) {
    try {
      await navigator.clipboard.writeText(hash);
      toast("The transaction’s hash is copied");
    } catch {
      // no clipboard without TLS: show it, so that it can be marked
      toast(hash);
    }
  }
}
