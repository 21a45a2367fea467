// The fields of a form: each shows a value, gives it back checked, and has a place for what is wrong
// with it. A field that nobody touched gives back the very value that it was given.

import { asPercent, clockOf } from "./configured.js";
import { make, say } from "./dom.js";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const PERIODS_MOST = 96;

const asNumber = (words, { least, most, scale = 1 } = {}) => {
  const plain = words.trim().replace("−", "-");
  if (plain === "") return { value: null };
  if (!NUMBER.test(plain)) return { problem: "A number such as 9600 or 0.5, without commas or unit." };
  const value = Number(plain);
  if (value < least || value > most) return { problem: value < least ? `Not below ${least}.` : `Not above ${most.toLocaleString("en-GB")}.` };
  return { value: value / scale };
};

const asText = (words, { pattern, remedy, empty }) => {
  const plain = words.trim();
  if (plain === "") return { value: empty };
  return pattern.test(plain) ? { value: plain } : { problem: remedy };
};

const input = (field, words, more = {}) => make("input", {
  type: "text", autocomplete: "off", spellcheck: "false", class: field.mono ? "mono" : null, value: words,
  inputmode: field.kind === "number" ? "decimal" : null, list: field.list ? `list-${field.list}` : null, ...more,
});

const single = (field, value, words, taken) => {
  const place = input(field, words);
  return { place, take: () => (place.value === words && !field.required ? { value: value === undefined ? field.empty ?? null : value } : taken(place.value)) };
};

const settingWords = (value) => {
  if (typeof value !== "string") return JSON.stringify(value);
  // a text that reads like something else is put into quotes
  return value === "" || ["true", "false"].includes(value) || NUMBER.test(value) || /^"|^\s|\s$/.test(value) ? JSON.stringify(value) : value;
};
const settingValue = (words) => {
  if (words === "true" || words === "false") return words === "true";
  if (NUMBER.test(words)) return Number(words);
  if (!words.startsWith('"')) return words;
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
};

const settings = (field, value) => {
  const words = Object.entries(value ?? {}).map(([name, each]) => `${name} = ${settingWords(each)}`).join("\n");
  const place = make("textarea", { rows: 3, spellcheck: "false", class: "mono" }, words);
  return { place, take: () => {
    if (place.value === words) return { value: value ?? {} };
    const found = {};
    for (const line of place.value.split("\n").map((each) => each.trim()).filter(Boolean)) {
      const [, name, told] = /^([A-Za-z0-9_.-]{1,64})\s*=\s*(.*)$/.exec(line) ?? [];
      if (name === undefined) return { problem: `“${line.slice(0, 40)}”: a line is a name, = and a value.` };
      if (name in found) return { problem: `${name} is there twice.` };
      found[name] = settingValue(told);
    }
    return { value: found };
  } };
};

const choice = (field, value, { options, label }) => {
  const given = options.some(([name]) => name === (value ?? "")) || !value ? options : [...options, [value, `${value} (out of use)`]];
  const place = make("select", {}, given.map(([name, title]) => make("option", { value: name, selected: name === (value ?? "") }, title)));
  return { place, take: () => (place.value === "" && field.none === undefined ? { problem: `Choose a ${label}.` } : { value: place.value || null }) };
};

const periods = (field, value) => {
  const begun = JSON.stringify(value ?? []);
  const body = make("tbody");
  const more = make("button", { type: "button", class: "small", onclick: () => add({ start_minute: null, import_price_per_mwh: null, export_price_per_mwh: null }).focus() }, "Add a time");
  const fit = () => {
    more.disabled = body.children.length >= PERIODS_MOST;
    body.querySelectorAll("button").forEach((each) => { each.disabled = body.children.length < 2; });
  };
  const add = (period) => {
    const start = make("input", { type: "time", "aria-label": "From", value: period.start_minute === null ? "" : clockOf(period.start_minute) });
    const prices = ["import", "export"].map((way) => input({ kind: "number" }, period[`${way}_price_per_mwh`] === null ? "" : String(period[`${way}_price_per_mwh`]), { "aria-label": `${way} price per MWh` }));
    const row = make("tr", {}, make("td", {}, start), prices.map((each) => make("td", {}, each)),
      make("td", {}, make("button", { type: "button", class: "small", "aria-label": "Remove this time", onclick: () => {
        row.remove();
        fit();
        more.focus();
      } }, "✕")));
    body.append(row);
    fit();
    return start;
  };
  (value ?? [{ start_minute: 0, import_price_per_mwh: null, export_price_per_mwh: null }]).forEach(add);
  const place = make("div", { role: "group" },
    make("table", { class: "periods" }, make("thead", {}, make("tr", {}, ["From", "Import / MWh", "Export / MWh"].map((name) => make("th", { scope: "col" }, name)), make("td"))), body), more);
  const period = (row) => {
    const [start, bought, sold] = [...row.querySelectorAll("input")].map((each) => each.value);
    const [hour, minute] = start.split(":").map(Number);
    const [in_, out] = [bought, sold].map((words) => asNumber(words, { least: -1e12, most: 1e12 }));
    if (start === "") return { problem: "Each row needs the time from which it counts." };
    const at = clockOf(60 * hour + minute);
    if (in_.problem ?? out.problem) return { problem: `${at}: ${(in_.problem ?? out.problem).toLowerCase()}` };
    if (in_.value === null || out.value === null) return { problem: `${at} needs both prices; 0 is a price.` };
    return { value: { start_minute: 60 * hour + minute, import_price_per_mwh: in_.value, export_price_per_mwh: out.value } };
  };
  return { place, take: () => {
    const found = [...body.children].map(period);
    const wrong = found.find(({ problem }) => problem);
    if (wrong) return wrong;
    const list = found.map((each) => each.value).sort((one, other) => one.start_minute - other.start_minute);
    const twice = list.find((each, at) => list[at + 1]?.start_minute === each.start_minute);
    if (twice) return { problem: `Two rows begin at ${clockOf(twice.start_minute)}.` };
    return { value: JSON.stringify(list) === begun ? value : list };
  } };
};

const MAKERS = {
  text: (field, value) => single(field, value, value ?? "", (words) => asText(words, field)),
  number: (field, value) => single(field, value, value === null || value === undefined ? "" : String(field.scale ? asPercent(value) : value), (words) => asNumber(words, field)),
  settings, choice, periods,
};

/** Return a field: `element` to show, `take()` gives {value} or {problem}, `blame(line)` says what is wrong. */
export const newField = (field, value, options = []) => {
  const label = field.label.toLowerCase();
  const { place, take } = MAKERS[field.kind](field, value, { options, label });
  const id = `field-${field.name.replaceAll(".", "-")}`;
  const wrong = make("p", { class: "error", id: `${id}-wrong` });
  const hint = field.hint ? make("p", { class: "note", id: `${id}-hint` }, field.hint) : null;
  place.id = id;
  place.setAttribute("aria-describedby", [hint?.id, wrong.id].filter(Boolean).join(" "));
  const group = place.getAttribute("role") === "group";
  if (group) place.setAttribute("aria-labelledby", `${id}-label`);
  const name = group ? make("p", { class: "name", id: `${id}-label` }, field.label) : make("label", { for: id }, field.label);
  const blame = (line) => {
    say(wrong, line);
    const marked = group ? place.querySelector("input") : place;
    if (line) marked.setAttribute("aria-invalid", "true");
    else marked.removeAttribute("aria-invalid");
    return marked;
  };
  return { field, blame, element: make("div", { class: "field", "data-field": field.name }, name, place, hint, wrong), place, take: () => {
    const found = take();
    if (found.problem === undefined && field.required && (found.value === null || found.value === "")) return { problem: `${field.label.split(",")[0]} is needed.` };
    return found;
  } };
};
