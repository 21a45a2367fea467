// What can be configured of homes, devices and tariffs: where it is kept, how people read it, and
// what differs between two versions of it.

import { UNKNOWN } from "./format.js";
import { read, request } from "./session.js";

/** A number with all its digits, as people read it. */
export const exact = (value) => value.toLocaleString("en-GB", { maximumFractionDigits: 12 }).replace("-", "−");
/** A share as per cent, without the dust of binary fractions. */
export const asPercent = (share) => Number((share * 100).toPrecision(12));
/** A minute of the day as 07:30. */
export const clockOf = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

const NAME = { pattern: /^[A-Za-z0-9_.-]{1,64}$/, remedy: "Letters, digits and . _ - only, 64 at most." };
const LINE = { pattern: /^[^\u0000-\u001f\u007f]{0,200}$/, remedy: "One line of 200 characters at most." };
const text = (name, label, more = {}) => ({ name, label, kind: "text", empty: "", ...LINE, ...more });
const number = (name, label, unit, more = {}) => ({ name, label: `${label}, ${unit}`, kind: "number", unit, least: 0, most: 1e12, ...more });
const share = (name, label, more = {}) => number(name, label, "%", { scale: 100, most: 100, ...more });
/** What only a battery has. */
const battery = { only: ["battery"] };

/** The name of a new thing. */
export const ID = { name: "id", label: "Id", kind: "text", required: true, ...NAME };

const HOME = [
  text("name", "Name", { hint: "For people." }),
  text("group_name", "Group", { ...NAME, list: "groups", hint: "Commands may go to a group. Empty for none." }),
  { name: "tariff_id", label: "Tariff", kind: "choice", options: "tariffs", none: "none" },
  text("account", "Account on the ledger", { empty: null, pattern: /^0x[0-9a-fA-F]{40}$/, remedy: "0x and 40 hexadecimal digits.", mono: true, hint: "The member’s address, which is paid. Empty for none." }),
  text("zone", "Time zone", { list: "zones", hint: "Such as Europe/London. Empty for the market’s." }),
  number("latitude_deg", "Latitude", "°", { least: -90, most: 90, hint: "North of the equator." }),
  number("longitude_deg", "Longitude", "°", { least: -180, most: 180, hint: "East of Greenwich." }),
];
const DEVICE = [
  { name: "kind", label: "Kind", kind: "choice", options: ["battery", "meter", "inverter", "charger"] },
  text("model", "Model", { hint: "Maker and model." }),
  number("capacity_wh", "Usable capacity", "Wh", battery),
  number("power_max_w", "Rated power", "W", { only: ["battery", "inverter", "charger"] }),
  share("soc_min", "Least state of charge", battery), share("soc_max", "Greatest state of charge", battery),
  share("charge_efficiency", "Charging efficiency", { ...battery, hint: "Into the cells, of what the terminals take." }),
  share("discharge_efficiency", "Discharging efficiency", { ...battery, hint: "Out of the terminals, of what the cells give." }),
  { name: "settings", label: "Settings of its own", kind: "settings", hint: "A line each, such as: phases = 3" },
];
const TARIFF = [
  text("name", "Name", { hint: "For people." }),
  number("terms.standing_charge_per_day", "Standing charge", "a day", { required: true, money: true }),
  { name: "terms.periods", label: "Prices by the time of the day", kind: "periods", hint: "Local time. Each runs until the next begins, the last over midnight." },
];
const escaped = encodeURIComponent;

/** Kinds of things by their name in the registry; a device's key is home/device. */
export const KINDS = {
  home: { word: "home", fields: HOME, path: (key) => `api/homes/${escaped(key)}`, gone: "No command goes to it, it counts in no plan and no sum. What it measured stays." },
  device: { word: "device", fields: DEVICE, path: (key) => `api/homes/${key.split("/").map(escaped).join("/devices/")}`, gone: "It counts in no plan. What it measured stays." },
  tariff: { word: "tariff", fields: TARIFF, path: (key) => `api/tariffs/${escaped(key)}`, gone: "No home can be given it any more. Homes that have it keep it until they are changed." },
};

/** What a thing is called: home-7, storage of home-7. */
export const called = (kind, key) => (kind === "device" ? `device ${key.split("/")[1]} of ${key.split("/")[0]}` : `${kind} ${key}`);

/** A part of a body by its name with dots. */
export const part = (body, name) => name.split(".").reduce((of, each) => of?.[each], body);

const setting = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const one = (field, value) => {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (field.kind !== "number") return String(value);
  return field.money ? `${exact(value)} a day` : `${exact(field.scale ? asPercent(value) : value)} ${field.unit}`;
};

/** Return a configuration as [label, words] lines. */
export const lines = (kind, body) => KINDS[kind].fields.flatMap((field) => {
  const value = part(body, field.name);
  if (field.kind === "settings") return Object.entries(value ?? {}).map(([name, each]) => [`Setting ${name}`, setting(each)]);
  if (field.kind === "periods") return (value ?? []).map((each) => [`From ${clockOf(each.start_minute)}, per MWh`, `import ${exact(each.import_price_per_mwh)}, export ${exact(each.export_price_per_mwh)}`]);
  return [[field.label.split(",")[0], one(field, value)]];
});

/** What a later service may configure besides what we know. */
const others = (kind, body) => {
  const known = new Set(["retired", ...KINDS[kind].fields.map(({ name }) => name.split(".")[0])]);
  return Object.entries(body).filter(([name]) => !known.has(name)).map(([name, value]) => [name, JSON.stringify(value)]);
};

/** Return what differs between two configurations (null: there was none), as {label, before, after}. */
export const differences = (kind, before, after) => {
  const told = (body) => new Map(body === null ? [] : [...lines(kind, body), ...others(kind, body), ["In use", body.retired ? "no" : "yes"]]);
  const [old, fresh] = [told(before), told(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .map((label) => ({ label, before: old.get(label) ?? UNKNOWN, after: fresh.get(label) ?? UNKNOWN }))
    .filter((each) => each.before !== each.after);
};

/** Ask what is configured of a thing: {version, retired, configuration}. */
export const current = (kind, key) => read(KINDS[kind].path(key));

/**
 * Write the next version of a thing, or take it out of use where `body` is null. It is refused (412)
 * where it is not of `version` any more; null is for what is new.
 */
export const write = async (kind, key, { version, body, comment }) => {
  const words = comment ? `?${new URLSearchParams({ comment })}` : "";
  const headers = version === null ? { "If-None-Match": "*" } : { "If-Match": `"${version}"` };
  const answer = await request(`${KINDS[kind].path(key)}${words}`, {
    method: body === null ? "DELETE" : "PUT", headers, body: body ?? undefined, signal: AbortSignal.timeout(30_000),
  });
  return answer.json();
};

/** Ask for all of a list that comes in pages. */
export const all = async (path, query = {}) => {
  const items = [];
  let cursor = null;
  do {
    const page = await read(path, { ...query, cursor, limit: 1000 });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return items;
};
