// A table as a file for spreadsheets (RFC 4180), made here: nothing is asked of the service for it.

import { make } from "./dom.js";

const cell = (value) => {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  // a spreadsheet would carry out what begins like a formula
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Return lines of a header and of rows. */
export const csv = (names, rows) => [names, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** Have the browser keep a text as a file. */
export const keep = (name, text) => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  // the browser has begun to read it by then
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};
