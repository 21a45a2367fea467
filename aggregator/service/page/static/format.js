// Figures as people read them. What is not known is a dash, never a zero.

export const UNKNOWN = "–";

let zone = "UTC";
let currency = "GBP";
let clocks = {};
let moneys = {};

const clock = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });

/** Say in which zone times are and in which currency prices. */
export const setUnits = (given) => {
  ({ zone, currency } = given);
  clocks = {
    time: clock({ hour: "2-digit", minute: "2-digit" }),
    second: clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    both: clock({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
    day: clock({ weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }),
    date: clock({ year: "numeric", month: "2-digit", day: "2-digit" }),
    name: clock({ timeZoneName: "short", hour: "2-digit" }),
  };
  const money = (least, most = least) => new Intl.NumberFormat("en-GB", { style: "currency", currency, minimumFractionDigits: least, maximumFractionDigits: most });
  moneys = { cents: money(2), fine: money(4), small: money(2, 4) };
};

const minus = (text) => text.replace("-", "−");
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
const spaced = (value, digits) => minus(value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }));

/** The time of day in the market's zone. [ms] */
export const time = (ms) => (known(ms) ? clocks.time.format(ms) : UNKNOWN);
export const second = (ms) => (known(ms) ? clocks.second.format(ms) : UNKNOWN);
/** Day and time. [ms] */
export const both = (ms) => (known(ms) ? clocks.both.format(ms) : UNKNOWN);
/** The market's day of a time as 2026-06-01. [ms] */
export const isoDay = (ms) => {
  const parts = Object.fromEntries(clocks.date.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
};
/** Whether a text is a day such as 2026-06-01. */
export const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
/** A day as 2026-06-01 in words. */
export const dayName = (day) => clocks.day.format(Date.parse(day));
/** What the zone is called at a time, such as BST. [ms] */
export const zoneName = (ms) => clocks.name.formatToParts(ms).find(({ type }) => type === "timeZoneName").value;

/** How long ago, in the largest unit that says enough. [ms] */
export const ago = (ms, nowMs) => {
  if (!known(ms)) return "never";
  const s = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (s < 100) return `${s} s ago`;
  if (s < 6000) return `${Math.round(s / 60)} min ago`;
  return s < 172800 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86400)} days ago`;
};

const scaled = (value, unit) => {
  const size = Math.abs(value);
  if (size >= 999.5e3) return `${spaced(value / 1e6, 2)} M${unit}`;
  if (size >= 999.5) return `${spaced(value / 1e3, size < 99.95e3 ? 2 : 1)} k${unit}`;
  return `${spaced(value, 0)} ${unit}`;
};

export const power = (w) => (known(w) ? scaled(w, "W") : UNKNOWN);
export const energy = (wh) => (known(wh) ? scaled(wh, "Wh") : UNKNOWN);
/** A share 0..1. */
export const percent = (share, digits = 0) => (known(share) ? `${spaced(share * 100, digits)} %` : UNKNOWN);
/** A figure at an axis. */
export const plain = (value) => minus(value.toLocaleString("en-GB", { maximumFractionDigits: 2 }));
export const count = (value) => (known(value) ? spaced(value, 0) : UNKNOWN);
/** Currency per MWh. */
export const price = (perMwh) => (known(perMwh) ? minus(moneys.cents.format(perMwh)) : UNKNOWN);
/** Money in millionths. */
export const money = (micro) => {
  if (!known(micro)) return UNKNOWN;
  return minus((Math.abs(micro) < 1e6 && micro !== 0 ? moneys.small : moneys.cents).format(micro / 1e6));
};
/** Return what writes a column of money in millionths: all of it with as many digits. */
export const moneyAlike = (list) => {
  const most = list.reduce((top, each) => Math.max(top, Math.abs(each ?? 0)), 0);
  const digits = most !== 0 && most < 1e6 ? "fine" : "cents";
  return (micro) => (known(micro) ? minus(moneys[digits].format(micro / 1e6)) : UNKNOWN);
};
/** One thing, several things. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** What a battery does: power into it is positive. */
export const batteryWords = (w) => {
  if (!known(w)) return UNKNOWN;
  if (Math.abs(w) < 10) return "idle";
  return `${w > 0 ? "charging" : "discharging"} ${power(Math.abs(w))}`;
};
/** What a grid connection does: power into the home is positive. */
export const gridWords = (w) => {
  if (!known(w)) return UNKNOWN;
  return Math.abs(w) < 10 ? "balanced" : `${w > 0 ? "importing" : "exporting"} ${power(Math.abs(w))}`;
};

/** What a command does, in words; `body` is the message's part (docs/mqtt.md). */
export const commandWords = (body) => {
  const during = known(body.interval) ? ` for ${spaced(body.interval, 0)} min` : "";
  if (body.read) return `read ${body.read}`;
  if (body.write === "power reference") return `hold ${power(Math.abs(body.power_w))} of ${body.power_w > 0 ? "import" : "export"}${during}`;
  if (body.write === "profile") return `self-consumption${known(body.backup) ? `, keeping ${spaced(body.backup, 0)} %` : ""}`;
  if (body.write === "stop") return "stand by until the next command";
  if (body.write === "release") return "let the controller take over";
  return `${body.write} at ${spaced(body.power, 0)} % of rated power${during}`;
};
/** Whom a command is for, in words. */
export const targetWords = (target) =>
  target === "fleet" ? "the fleet" : target.replace(/^group:/, "group ").replace(/^home:/, "").replace(/^device:(.*)\/(.*)$/, "$2 of $1");
