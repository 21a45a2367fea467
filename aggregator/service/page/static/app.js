// The page: who is signed in, which view is shown, what is told to whom.

import { AlarmsView } from "./alarms.js";
import { DayView } from "./day.js";
import { byId, say, toast } from "./dom.js";
import { Fleet } from "./fleet.js";
import { second, setUnits, zoneName } from "./format.js";
import { HomeView } from "./home.js";
import { HomesView } from "./homes.js";
import { fetched } from "./later.js";
import { Live } from "./live.js";
import { Mosaic } from "./mosaic.js";
import { OrdersView } from "./orders.js";
import { keepEnded, keepScope, onEnded, read, Refused, signedIn, signIn, signOut, wasEnded } from "./session.js";
import { Tiles } from "./tiles.js";

/** Alarms, new homes and groups are in no event: ask for all homes now and then. [ms] */
const REFRESH_MS = 60_000;
/** A view of the fleet may be so old when it is sent: ask once more after a stream began. [ms] */
const VIEW_AGE_MS = 8_000;
const TILES_MS = 500;
const BEAT_MS = 10_000;
const THEMES = [["", "◐", "as the system"], ["light", "☀", "light"], ["dark", "☾", "dark"]];
/** Views whose code comes when they are first shown: module and class. */
const LATER = {
  day: ["./cycle.js", "CycleView"], revenue: ["./revenue.js", "RevenueView"], settlement: ["./settlement.js", "SettlementView"],
  diagnosis: ["./diagnosis.js", "DiagnosisView"], registry: ["./registry.js", "RegistryView"],
  history: ["./history.js", "HistoryView"], audit: ["./audit.js", "AuditView"],
};
/** Views that belong to another's place in the bar. */
const WITHIN = { home: "homes", diagnosis: "commands", history: "registry", audit: "registry" };
/** What each view is called. */
const TITLES = { day: "Day cycle", revenue: "Revenue", diagnosis: "What failed", registry: "Registry", history: "Versions", audit: "Audit log", fleet: "Fleet", homes: "Homes", home: "Home", commands: "Commands", settlement: "Settlement", alarms: "Alarms" };

class App {
  constructor(start) {
    this.start = start;
    this.offsetMs = start.now_ms - Date.now();
    this.canCommand = start.scope === "operator";
    this.home = start.scope === "home" ? start.home : null;
    this.view = null;
    this.later = {};
    setUnits(start);
    document.body.classList.toggle("can-command", this.canCommand);
    document.body.classList.toggle("one-home", this.home !== null);
    document.body.classList.toggle("runs-days", start.runs_days);
    this.fleet = new Fleet(() => this.now(), start.silent_ms);
    this.alarms = new AlarmsView(this);
    this.orders = new OrdersView(this);
    this.homeView = new HomeView(this);
    if (this.home === null) this.buildFleet();
    say(byId("zone"), zoneName(this.now()));
    byId("bar").hidden = false;
    addEventListener("hashchange", () => this.route(true));
    this.route(false);
    this.live = new Live({
      path: this.home === null ? "api/events" : `api/homes/${encodeURIComponent(this.home)}/events`,
      tell: (event) => this.told(event), poll: () => this.refresh(), show: (...seen) => this.showLink(...seen),
    });
    setInterval(() => this.beat(), BEAT_MS);
  }

  buildFleet() {
    this.mosaic = new Mosaic(this);
    this.homes = new HomesView(this);
    this.day = new DayView(this);
    this.tiles = new Tiles(this);
    this.fleet.watch(() => {
      this.mosaic.update();
      this.homes.update();
      this.updateTiles();
    });
    this.alarms.load().catch((error) => this.failed(error));
    const day = this.day.load().catch((error) => this.failed(error));
    const homes = this.refresh();
    Promise.all([homes, day]).then(() => this.first(), (error) => this.failed(error));
  }

  /** The service's time. [ms] */
  now() { return Date.now() + this.offsetMs; }

  /** Draw all homes at once the first time, and say when that is on the screen. */
  first() {
    this.tiles.show(this.day.current());
    if (this.view === "homes") this.homes.arrange();
    else this.mosaic.draw();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      performance.mark("fleet-painted");
      byId("main").dataset.painted = "fleet";
    }));
  }

  updateTiles() {
    this.tilesDue ??= setTimeout(() => {
      this.tilesDue = null;
      if (this.view === "fleet") this.tiles.show(this.day.current());
    }, TILES_MS);
  }

  dayChanged() { this.updateTiles(); }

  /** Ask for everything that is shown. */
  async refresh() {
    this.refreshedMs = Date.now();
    if (this.home !== null) await this.homeView.load();
    else await this.fleet.load();
  }

  async beat() {
    if (!signedIn()) return;
    try {
      if (this.view === "home") await this.homeView.beat();
      if (this.home !== null) return;
      if (this.view === "fleet") await this.day.beat();
      await this.later[this.view]?.beat?.();
      if (Date.now() - this.refreshedMs >= REFRESH_MS) {
        this.alarms.update();
        await this.refresh();
      }
      this.homes.update();
    } catch (error) {
      // the link's state says it
      if (!(error instanceof Refused)) throw error;
    }
  }

  told({ kind, data }) {
    const values = JSON.parse(data);
    if (kind === "hello" || kind === "reset") {
      if (kind === "reset") this.refresh().catch(() => {});
      setTimeout(() => this.refresh().catch(() => {}), VIEW_AGE_MS);
    } else if (kind === "values") this.valuesCame(values);
    else if (kind === "alarm") this.alarmCame();
    else if (kind === "command") {
      this.orders.update();
      if (values.orders?.some(({ target }) => !target.startsWith("home:") || target === `home:${this.homeView.id}`)) this.homeView.update();
    } else if (kind === "day" && this.home === null) this.day.load().catch(() => {});
  }

  valuesCame(values) {
    if (this.home !== null) {
      this.homeView.merge(values);
      return;
    }
    const known = this.fleet.merge(values);
    if (!known) this.refreshedMs = 0;
    const place = this.view === "home" ? values.ids.indexOf(this.homeView.id) : -1;
    if (place < 0) return;
    this.homeView.merge(Object.fromEntries(Object.entries(values).filter(([name]) => name !== "ids").map(([name, list]) => [name, list[place]])));
  }

  alarmCame() {
    this.homeView.update();
    if (this.home !== null) return;
    this.alarms.update();
    this.refreshedMs = 0;
  }

  /** An alarm was acknowledged or resolved here. */
  async alarmsChanged() {
    if (this.view === "home") await this.homeView.load();
  }

  showLink(state, heardMs) {
    const link = byId("link");
    const words = { connecting: "Connecting", live: "Live", polling: "Asking each 10 s", stale: "No connection" };
    link.dataset.state = state;
    say(byId("link-text"), words[state]);
    say(byId("clock"), second(this.now()));
    const banner = byId("stale");
    const stale = state === "stale";
    banner.hidden = !stale;
    // said once: the time in it does not change
    say(banner, stale ? `The service was last heard at ${second(heardMs + this.offsetMs)}: what is shown may be out of date. Trying again…` : "");
    document.body.classList.toggle("is-stale", stale);
  }

  /** Say what could not be done. */
  failed(error) {
    if (!(error instanceof Refused) && error.name !== "TimeoutError") throw error;
    toast(error.message, true);
  }

  /** Show the view that the address names; `moved` takes the reader along. */
  route(moved) {
    const [, name = "", ...rest] = location.hash.split("/").map(named);
    const view = this.home !== null ? "home" : Object.hasOwn(TITLES, name) ? name : "fleet";
    this.view = view;
    for (const section of document.querySelectorAll("section.view")) section.hidden = section.dataset.view !== view;
    for (const link of byId("nav").children) {
      if (link.dataset.view === (WITHIN[view] ?? view)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const id = this.home ?? rest.join("/");
    this.enter(view, id).catch((error) => this.failed(error));
    document.title = `${view === "home" ? id : TITLES[view]} · Gridpact`;
    if (moved) {
      scrollTo(0, 0);
      byId(`title-${view}`)?.focus({ preventScroll: true });
    }
  }

  /** Return a view whose code comes when it is first shown. */
  async fetched(view) {
    const [module, name] = LATER[view];
    const code = await fetched(module);
    return (this.later[view] ??= new code[name](this));
  }

  async enter(view, id) {
    if (view === "home") await this.homeView.enter(id);
    else if (view === "commands") await this.orders.enter(id || null);
    else if (view === "alarms") await this.alarms.enter();
    else if (view in LATER) await (await this.fetched(view)).enter(id);
    else if (!this.fleet.loaded) return;
    else if (view === "homes") this.homes.enter();
    else {
      this.mosaic.update();
      this.updateTiles();
    }
  }
}

/** What an address names; one that somebody cut short names nothing. */
const named = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
};

const askForToken = (line = "") => {
  byId("sign-in").hidden = false;
  say(byId("sign-in-error"), line);
  byId("token").focus();
};

const begin = async () => {
  const start = await read("api/page");
  keepScope(start.scope);
  byId("sign-in").hidden = true;
  new App(start);
};

const setTheme = (theme) => {
  const [, mark, words] = THEMES.find(([name]) => name === theme) ?? THEMES[0];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const button = byId("theme");
  say(button, mark);
  button.setAttribute("aria-label", `Colours: ${words}`);
  dispatchEvent(new Event("scheme"));
};

let theme = localStorage.getItem("gridpact-theme") ?? "";
setTheme(theme);
byId("theme").addEventListener("click", () => {
  const place = THEMES.findIndex(([name]) => name === theme);
  [theme] = THEMES[(place + 1) % THEMES.length];
  localStorage.setItem("gridpact-theme", theme);
  setTheme(theme);
});
// not by its address: that names the view
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
byId("sign-out").addEventListener("click", () => {
  signOut();
  // everything that was read goes with the document
  location.replace(location.pathname);
});
onEnded(() => {
  signOut();
  if (byId("bar").hidden) return;
  keepEnded();
  location.reload();
});
byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("token");
  signIn(field.value.trim());
  field.value = "";
  try {
    await begin();
  } catch (error) {
    signOut();
    askForToken(error.status === 401 ? "The service does not know this token." : error.message);
  }
});
const GONE = "The token is no longer good: sign in again.";
const ended = wasEnded();
if (signedIn()) begin().catch((error) => askForToken(error.status === 401 ? GONE : error.message));
else askForToken(ended ? GONE : "");
