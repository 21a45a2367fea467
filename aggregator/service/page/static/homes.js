// The homes as a grid that can be sorted and filtered. Only the rows in sight exist as elements.

import { byId, eachFrame, make, say } from "./dom.js";
import { ago, count, percent, plural, power, UNKNOWN } from "./format.js";
import { HEALTHS } from "./fleet.js";
import { fetched } from "./later.js";
import { HEALTH } from "./mosaic.js";

const SPARE = 8;
/** From one sorting to the next at least, so that rows do not jump about. [ms] */
const SORT_MS = 2_000;
let order = null;

/** A health as people see it: a mark, a word and a colour. */
export const healthBadge = (health) => {
  const { mark, word, kind } = HEALTH[health];
  return make("span", { class: `badge ${kind}` }, make("span", { "aria-hidden": "true" }, mark), make("span", { class: "word" }, word));
};

const socCell = (soc) => {
  if (soc === null) return UNKNOWN;
  const bar = make("i");
  bar.style.transform = `scaleX(${Math.min(1, Math.max(0, soc))})`;
  return make("span", { class: "soc" }, make("span", { class: "meter", "aria-hidden": "true" }, bar), percent(soc));
};

const figure = (name, title, kind) => ({
  name: kind, title, kind: `number c-${kind}`, first: "descending",
  value: (fleet, place) => fleet[name][place], cell: (fleet, place) => power(fleet[name][place]),
});
const word = (name, title, kind) => ({
  name: kind, title, kind: `c-${kind}`, first: "ascending",
  value: (fleet, place) => fleet[name][place], cell: (fleet, place) => fleet[name][place],
});
const COLUMNS = [
  { ...word("ids", "Home", "id"), kind: "id c-id" },
  word("names", "Name", "name"),
  word("groups", "Group", "group"),
  { name: "health", title: "Health", kind: "c-health", first: "ascending", value: (fleet, place) => HEALTHS.indexOf(fleet.health(place)), cell: (fleet, place) => healthBadge(fleet.health(place)) },
  { name: "soc", title: "Charge", kind: "number c-soc", first: "ascending", value: (fleet, place) => fleet.soc[place], cell: (fleet, place) => socCell(fleet.soc[place]) },
  figure("battery_power_w", "Battery", "battery"),
  figure("load_w", "Load", "load"),
  figure("pv_w", "Solar", "pv"),
  figure("grid_power_w", "Grid", "grid"),
  { name: "heard", title: "Heard", kind: "number quiet c-heard", first: "descending", value: (fleet, place) => fleet.heard[place], cell: (fleet, place, now) => ago(fleet.heard[place], now) },
];

export class HomesView {
  constructor(app) {
    this.app = app;
    this.fleet = app.fleet;
    this.sorting = { column: COLUMNS[0], down: false };
    this.shown = [];
    this.active = 0;
    this.build();
    this.paint = eachFrame(() => this.draw());
    for (const [id, kind] of [["homes-text", "input"], ["homes-health", "change"], ["homes-group", "change"]]) {
      byId(id).addEventListener(kind, () => this.arrange(true));
    }
    byId("homes-filters").addEventListener("submit", (event) => event.preventDefault());
    byId("homes-command").addEventListener("click", () => app.orders.open(this.target));
    byId("homes-deeds").append(make("button", { type: "button", onclick: () => this.add().catch((error) => app.failed(error)) }, "Add a home…"));
    new ResizeObserver(this.paint).observe(this.lines);
  }

  build() {
    const heads = COLUMNS.map((column, place) => {
      const button = make("button", { type: "button", onclick: () => this.sort(column) }, column.title);
      return (column.head = make("div", { role: "columnheader", class: `cell ${column.kind}`, "aria-colindex": place + 1 }, button));
    });
    this.space = make("div", { role: "presentation" });
    this.none = make("p", { class: "empty", hidden: true });
    this.lines = make("div", { class: "lines", tabindex: -1, role: "rowgroup" }, this.space);
    this.grid = byId("homes-grid");
    this.grid.append(
      make("div", { role: "rowgroup" }, make("div", { role: "row", class: "row heads", "aria-rowindex": 1 }, heads)), this.lines);
    this.grid.after(this.none);
    this.grid.setAttribute("role", "grid");
    this.grid.setAttribute("aria-label", "Homes; arrow keys move, Enter opens");
    this.grid.tabIndex = 0;
    this.grid.setAttribute("aria-colcount", COLUMNS.length);
    this.lines.addEventListener("scroll", () => this.paint(), { passive: true });
    this.grid.addEventListener("keydown", (event) => { if (!event.target.closest("button")) this.key(event); });
    this.lines.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.open(Number(row.dataset.at));
    });
    this.rows = [];
    byId("homes-health").append(make("option", { value: "" }, "Any health"), ...HEALTHS.map((name) => make("option", { value: name }, HEALTH[name].word)));
  }

  /** Whom the button commands: the group that is shown, or everybody. */
  get target() {
    const group = byId("homes-group").value;
    return group ? `group:${group}` : "fleet";
  }

  /** Ask for a new home; the code of that comes when it is first needed. */
  async add() {
    const { editor } = await fetched("./editing.js");
    await editor(this.app).add("home");
  }

  sort(column) {
    const again = this.sorting.column === column;
    this.sorting = { column, down: again ? !this.sorting.down : column.first === "descending" };
    this.arrange(true);
  }

  /** Figures changed: show them, and sort anew once in a while. */
  update() {
    if (this.app.view !== "homes") return;
    if (!this.resort) {
      this.resort = setTimeout(() => {
        this.resort = null;
        this.arrange();
      }, this.ids === this.fleet.ids ? SORT_MS : 0);
    }
    this.paint();
  }

  enter() { this.arrange(); }

  listGroups() {
    const groups = this.fleet.byGroup();
    const words = [...groups].join();
    if (words === this.groupWords) return;
    this.groupWords = words;
    const choice = byId("homes-group");
    const chosen = choice.value;
    choice.replaceChildren(make("option", { value: "" }, "Any group"), ...[...groups].map(([name, number]) => make("option", { value: name }, `${name} (${count(number)})`)));
    choice.value = groups.has(chosen) ? chosen : "";
  }

  /** Choose and sort the homes that are shown; `fresh` begins at the top. */
  arrange(fresh = false) {
    const { fleet, sorting } = this;
    this.ids = fleet.ids;
    this.listGroups();
    const [text, health, group] = ["homes-text", "homes-health", "homes-group"].map((id) => byId(id).value.trim());
    const wanted = text.toLowerCase();
    const holds = (place) =>
      (!group || fleet.groups[place] === group) && (!health || fleet.health(place) === health) &&
      (!wanted || `${fleet.ids[place]}\n${fleet.names[place]}\n${fleet.groups[place]}`.toLowerCase().includes(wanted));
    const activeId = this.ids[this.shown[this.active]];
    const keys = fleet.ids.map((_, place) => sorting.column.value(fleet, place));
    const sign = sorting.down ? -1 : 1;
    order ??= new Intl.Collator("en", { numeric: true });
    this.shown = fleet.ids.map((_, place) => place).filter(holds).sort((one, other) => {
      const [a, b] = [keys[one], keys[other]];
      if (a === b) return one - other;
      // what is not known is last, whichever way
      if (a === null || a === "") return 1;
      if (b === null || b === "") return -1;
      return sign * (typeof a === "string" ? order.compare(a, b) : a - b) || one - other;
    });
    this.active = fresh ? 0 : Math.max(0, this.shown.findIndex((place) => fleet.ids[place] === activeId));
    if (fresh) this.lines.scrollTop = 0;
    for (const { head } of COLUMNS) head.removeAttribute("aria-sort");
    sorting.column.head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    this.grid.setAttribute("aria-rowcount", this.shown.length + 1);
    say(byId("homes-count"), this.shown.length === fleet.size ? plural(fleet.size, "home") : `${count(this.shown.length)} of ${plural(fleet.size, "home")}`);
    this.none.hidden = this.shown.length > 0;
    this.grid.hidden = this.shown.length === 0;
    say(this.none, fleet.size ? "No home is like that." : "No home is entered yet. Add one here, or let its gateway in: it is entered when it is first heard of.");
    say(byId("homes-command"), `Command ${group ? `group ${group}` : "the fleet"}…`);
    this.paint();
  }

  draw() {
    if (this.app.view !== "homes") return;
    const height = (this.rowHeight = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row")));
    this.space.style.height = `${this.shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.lines.scrollTop / height) - SPARE);
    const last = Math.min(this.shown.length, Math.ceil((this.lines.scrollTop + this.lines.clientHeight) / height) + SPARE);
    while (this.rows.length < last - first) this.rows.push(this.newRow());
    this.rows.forEach((row, place) => this.fill(row, first + place, first + place < last, height));
    const active = this.rows[this.active - first];
    if (active && this.shown.length) this.grid.setAttribute("aria-activedescendant", active.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  newRow() {
    const cells = COLUMNS.map((column, place) => make("div", { role: "gridcell", class: `cell ${column.kind}`, "aria-colindex": place + 1 }));
    const row = make("div", { role: "row", class: "row", id: `home-row-${this.rows.length}` }, cells);
    this.lines.append(row);
    return row;
  }

  fill(row, at, used, height) {
    row.hidden = !used;
    if (!used) return;
    const { fleet } = this;
    const place = this.shown[at];
    row.dataset.at = at;
    row.style.transform = `translateY(${at * height}px)`;
    row.setAttribute("aria-rowindex", at + 2);
    row.classList.toggle("active", at === this.active);
    row.setAttribute("aria-selected", at === this.active);
    const now = this.app.now();
    COLUMNS.forEach((column, which) => {
      const told = column.cell(fleet, place, now);
      const cell = row.children[which];
      if (typeof told === "string") say(cell, told);
      else if (cell.textContent !== told.textContent) cell.replaceChildren(told);
    });
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.lines.clientHeight / this.rowHeight) - 1);
    const moves = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter") this.open(this.active);
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.active = Math.max(0, Math.min(this.shown.length - 1, this.active + moves[event.key]));
    const top = this.active * this.rowHeight;
    if (top < this.lines.scrollTop) this.lines.scrollTop = top;
    const end = top + this.rowHeight - this.lines.clientHeight;
    if (end > this.lines.scrollTop) this.lines.scrollTop = end;
    this.paint();
  }

  open(at) {
    const id = this.fleet.ids[this.shown[at]];
    if (id === undefined) return;
    this.active = at;
    location.hash = `#/home/${encodeURIComponent(id)}`;
  }
}
