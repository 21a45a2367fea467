// Every home as a tile, groups side by side: ten thousand fit on a screen and show what they do.

import { byId, colour, eachFrame, legend, say } from "./dom.js";
import { batteryWords, percent, plural } from "./format.js";
import { HEALTHS } from "./fleet.js";

const SHADES = 16;
/** The largest tile, and how high all of them together may be. [px] */
const TILE = 34;
const MOST = 220;
/** From one drawing to the next at least. [ms] */
const PAUSE_MS = 500;
/** What each health is called and drawn with. */
export const HEALTH = {
  ok: { word: "well", mark: "●", kind: "good" },
  silent: { word: "silent", mark: "◌", kind: "warn" },
  offline: { word: "offline", mark: "○", kind: "warn" },
  unknown: { word: "never heard", mark: "?", kind: "" },
  alarm: { word: "alarm", mark: "▲", kind: "bad" },
};
const LEGENDS = {
  soc: [["full; paler: emptier", "soc", "fill"], ["alarm", "bad", "fill"], ["no word of it", "idle", "hollow"]],
  battery: [["charging", "meter", "fill"], ["discharging", "plan", "fill"], ["alarm", "bad", "fill"], ["no word of it", "idle", "hollow"]],
  health: [["well", "delivered", "fill"], ["silent or offline", "pv", "fill"], ["never heard", "idle", "hollow"], ["alarm", "bad", "fill"]],
};

/** Return a colour with its strength as a pixel of an image. */
const ink = (role, shade) => {
  const [red, green, blue] = colour(role).match(/[\d.]+/g).map(Number);
  return new Uint32Array(Uint8Array.of(red, green, blue, Math.round(shade * 255)).buffer)[0];
};

export class Mosaic {
  constructor(app) {
    this.app = app;
    this.fleet = app.fleet;
    this.canvas = byId("mosaic-canvas");
    this.choice = byId("mosaic-colour");
    this.order = [];
    this.paint = eachFrame(() => this.draw());
    this.choice.addEventListener("change", () => this.paint());
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.readOut(null));
    this.canvas.addEventListener("click", (event) => {
      const place = this.at(event);
      if (place !== null) location.hash = `#/home/${encodeURIComponent(this.fleet.ids[place])}`;
    });
    new ResizeObserver(this.paint).observe(byId("mosaic"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.paint);
    addEventListener("scheme", this.paint);
  }

  /** Draw again soon; many changes are one drawing. */
  update() {
    if (this.waiting || this.app.view !== "fleet") return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.paint();
    }, PAUSE_MS);
  }

  arrange() {
    const { fleet } = this;
    if (this.ids === fleet.ids && this.groups === fleet.groups) return;
    ({ ids: this.ids, groups: this.groups } = fleet);
    const rank = new Map([...fleet.byGroup().keys()].map((group, place) => [group, place]));
    this.order = fleet.ids.map((_, place) => place).sort((one, other) =>
      (rank.get(fleet.groups[one]) ?? 1e9) - (rank.get(fleet.groups[other]) ?? 1e9) || one - other);
  }

  draw() {
    const { canvas, fleet } = this;
    const width = canvas.clientWidth;
    if (!width) return;
    this.arrange();
    const ratio = devicePixelRatio || 1;
    this.size = Math.min(TILE, this.fit(this.order.length, width, MOST));
    this.columns = Math.max(1, Math.floor(width / this.size));
    // few homes need less room
    const height = Math.min(MOST, Math.ceil(Math.max(1, this.order.length) / this.columns) * this.size);
    byId("mosaic").style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.getContext("2d").putImageData(this.image(canvas.width, canvas.height, this.size * ratio), 0, 0);
    byId("mosaic-legend").replaceChildren(...legend(LEGENDS[this.choice.value]));
    const { healths } = fleet.summary();
    const words = HEALTHS.filter((name) => healths[name]).map((name) => `${healths[name]} ${HEALTH[name].word}`).join(", ");
    this.words = `${plural(fleet.size, "home")}${words ? `: ${words}` : ""}`;
    canvas.setAttribute("aria-label", `${this.words}. The page Homes lists them.`);
    if (this.shown === undefined || this.shown === null) this.readOut(null);
  }

  /** Return the tiles as pixels: ten thousand rectangles would take a browser ten times as long. */
  image(width, height, size) {
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const gap = size >= 4 ? 1 : 0;
    const [inks, shades] = [new Map(), this.shades()];
    this.order.forEach((place, at) => {
      const [role, shade] = shades(place);
      const name = `${role} ${shade}`;
      if (!inks.has(name)) inks.set(name, ink(role, shade));
      const [column, row] = [at % this.columns, Math.floor(at / this.columns)];
      const [left, right] = [Math.round(column * size), Math.round((column + 1) * size) - gap];
      const bottom = Math.min(height, Math.round((row + 1) * size) - gap);
      for (let y = Math.round(row * size); y < bottom; y += 1) pixels.fill(inks.get(name), y * width + left, y * width + right);
    });
    return image;
  }

  fit(most, width, height) {
    let size = Math.sqrt((width * height) / Math.max(1, most));
    while (Math.floor(width / size) * Math.floor(height / size) < most && size > 0.5) size -= 0.05;
    return size;
  }

  /** Return what says a home's colour and how strong it is. */
  shades() {
    const { fleet } = this;
    const stepped = (share) => 0.12 + 0.88 * (Math.round(Math.min(1, Math.max(0, share)) * SHADES) / SHADES);
    const by = this.choice.value;
    const now = fleet.now();
    const most = Math.max(1, fleet.battery_power_w.reduce((top, each) => Math.max(top, Math.abs(each ?? 0)), 0));
    return (place) => {
      const health = fleet.health(place, now);
      if (health === "alarm") return ["bad", 1];
      if (by === "health") return { ok: ["delivered", 0.75], unknown: ["idle", 0.5] }[health] ?? ["pv", 1];
      if (health !== "ok") return ["idle", 0.5];
      if (by === "soc") return fleet.soc[place] === null ? ["idle", 0.5] : ["soc", stepped(fleet.soc[place])];
      const power = fleet.battery_power_w[place];
      if (power === null) return ["idle", 0.5];
      return [power >= 0 ? "meter" : "plan", stepped(Math.abs(power) / most)];
    };
  }

  at(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - bounds.left) / this.size);
    const row = Math.floor((event.clientY - bounds.top) / this.size);
    return column < this.columns ? this.order[row * this.columns + column] ?? null : null;
  }

  point(event) { this.readOut(this.at(event)); }

  readOut(place) {
    this.shown = place;
    const { fleet } = this;
    say(byId("mosaic-readout"), place === null ? this.words ?? "" : [
      fleet.ids[place], fleet.names[place], HEALTH[fleet.health(place)].word,
      percent(fleet.soc[place]), batteryWords(fleet.battery_power_w[place]),
    ].filter(Boolean).join(" · "));
  }
}
