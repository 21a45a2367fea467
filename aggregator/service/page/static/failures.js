// Commands as rows, and why one came to nothing, in words; the codes are those of docs/mqtt.md and
// docs/service.md.

import { make, table } from "./dom.js";
import { both, commandWords, time, UNKNOWN } from "./format.js";
import { stateBadge } from "./orders.js";

const WHY = {
  malformed: "no command, or out of bounds",
  "wrong-device": "addressed to another gateway",
  retained: "published with retain",
  expired: "its turn came too late",
  repeated: "the gateway had it already",
  clock: "the gateway does not know the time",
  busy: "too many wait at the gateway",
  memory: "the gateway’s disk does not remember commands",
  restarted: "the gateway was restarted meanwhile",
  refused: "the device refused it",
  unavailable: "the device does not answer",
  unauthorised: "the device does not let the gateway in",
  "read-only": "the device can only be read",
  "budget-spent": "the device’s writes for now are spent",
  ignored: "the device took it and did not do it",
  reply: "the device’s reply makes no sense",
  settings: "the device’s settings forbid it",
  "not-sent": "it expired before it was sent",
  "out-of-use": "its home was taken out of use meanwhile",
  superseded: "a later command took its place",
  "not-allowed": "the broker does not let us publish it",
  "no-acknowledgement": "the gateway never said that it has it",
  "no-outcome": "the gateway had it, and never said what became of it",
};

/** Return a code in words; one that we do not know stays as it is. */
export const whyWords = (code) => WHY[code] ?? code?.replaceAll("-", " ") ?? "";

/** A list of commands, a home each. */
export const commandTable = (rows, { home = true } = {}) => table("Commands", [
  home ? { name: "Home", cell: (each) => make("a", { href: `#/home/${encodeURIComponent(each.home)}` }, each.home) } : { name: "Given", cell: (each) => both(each.asked_ms) },
  home ? { name: "Sent", narrow: true, cell: (each) => time(each.sent_ms) } : { name: "What", words: true, cell: (each) => commandWords(each.body) },
  { name: "State", words: true, cell: stateBadge },
  { name: "Finished", narrow: true, cell: (each) => time(each.finished_ms) },
  { name: "Why", words: true, narrow: true, cell: (each) => [whyWords(each.code), each.reason].filter(Boolean).join(": ") || UNKNOWN },
], rows);
