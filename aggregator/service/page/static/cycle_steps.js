// The steps of a day cycle as a timeline: what each makes, when it is due, how it went.

import { make, toast } from "./dom.js";
import { both, count, isoDay, plural, second, time } from "./format.js";

/** What each step makes. */
export const MAKES = {
  weather: "irradiation and temperature", prices: "day-ahead prices", forecast: "demand and production of the fleet",
  plan: "the virtual battery’s day", offer: "bids and flexibility", result: "what the market took, as it was entered", award: "what the market takes, and the promise",
  publish: "the promise on the ledger", watch: "what is delivered", imbalance: "prices of deviations",
  settle: "promised intervals settled on the ledger", revenue: "revenue and bills of homes and fleet",
  reliability: "a score for each battery", score: "how far off the forecasts were",
};
const MARKS = { done: "✓", failed: "✕", unfinished: "◐", running: "…" };

/** Return the last run of each step. */
export const latest = (runs) => new Map(runs.map((run) => [run.step, run]));

const waitsFor = (step, last) => step.needs.find((name) => last.get(name)?.state !== "done");

/** Return how a step stands, {word, kind, mark, trouble, why}. */
export const stateOf = (step, last, day, nowMs) => {
  const run = last.get(step.name);
  if (run) {
    if (run.state === "failed") return { word: "failed", kind: "bad", mark: MARKS.failed, trouble: true };
    if (run.state === "unfinished" && step.each_min && nowMs < day.end_ms) return { word: "under way", kind: "", mark: MARKS.unfinished };
    if (run.state === "unfinished") return { word: "unfinished", kind: "warn", mark: MARKS.unfinished, trouble: true };
    return run.state === "done" ? { word: "done", kind: "good", mark: MARKS.done } : { word: run.state, kind: "", mark: MARKS.running };
  }
  if (step.sourceless) return { word: "no source", kind: "", mark: "" };
  if (!day.scheduled) return { word: "by hand", kind: "", mark: "" };
  if (step.due_ms > nowMs) return { word: "due", kind: "", mark: "" };
  const missing = waitsFor(step, last);
  const over = step.when === "the day before" && nowMs >= day.start_ms[0];
  const why = missing ? `${missing} is not done` : over ? "the day has begun" : "the scheduler tries it within minutes";
  return { word: over ? "not run" : missing ? "waits" : "overdue", kind: "warn", mark: "!", trouble: !missing, why };
};

/** Say in a line how the day stands. */
export const summary = (shown, day) => {
  const those = (wanted) => shown.filter(({ state }) => state.word === wanted);
  const parts = ["failed", "unfinished", "not run", "overdue", "running", "under way", "waits"].map((word) => [word, those(word)])
    .filter(([, steps]) => steps.length).map(([word, steps]) => `${steps.map(({ step }) => step.name).join(", ")} ${word}`);
  const done = those("done").length;
  return `${parts.length ? `${parts.join("; ")}; ` : ""}${count(done)} of ${plural(shown.length, "step")} done${day.scheduled ? "" : "; steps are run by hand alone"}`;
};

/** How long a run took, in words. */
const took = (run) => {
  if (run.ended_ms === null) return run.state === "running" ? "under way" : "ended in the middle";
  const s = (run.ended_ms - run.began_ms) / 1000;
  if (s < 1) return "under 1 s";
  return s < 100 ? `${s.toFixed(s < 10 ? 1 : 0)} s` : `${Math.round(s / 60)} min`;
};

/** Steps that this one was made from, or failed for want of, and that made something else since. */
const outdated = (step, run, ran) => step.needs.filter((name) => {
  const done = ran.filter((each) => each.step === name && each.state === "done");
  const [now, then] = [done.at(-1), done.findLast(({ number }) => number < run.number)];
  if (!now || now.number < run.number) return false;
  return run.state === "failed" || (then !== undefined && now.input_hash !== then.input_hash);
});

const hash = (text) => text === null ? null : make("button", {
  type: "button", class: "small hash", title: text, "aria-label": `Copy the hash of its input, ${text.slice(0, 8)}…`,
  onclick: () => navigator.clipboard?.writeText(text).then(() => toast("The hash is copied"), () => toast(text)) ?? toast(text),
}, text.slice(0, 8));

const who = (run) => (run.asked_by === "schedule" ? "by the schedule" : `asked by ${run.asked_by}`);
const began = (run, due) => (isoDay(run.began_ms) === isoDay(due) ? second(run.began_ms) : both(run.began_ms));

/** Return a step as an entry of the timeline; `ran` are all runs of the day. */
export const stepRow = ({ step, run, runs, state }, ran, button) => {
  const old = run ? outdated(step, run, ran) : [];
  const before = runs.slice(0, -1).toReversed();
  const due = step.each_min ? `each ${step.each_min} min` : time(step.due_ms);
  return make("li", { "data-step": step.name, class: `step ${state.kind}` },
    make("span", { class: "due" }, make("span", { class: "unseen" }, "due "), due),
    make("span", { class: `dot ${state.mark ? "" : "ahead"}`, "aria-hidden": "true" }, state.mark),
    make("div", { class: "told" },
      make("p", {}, make("b", {}, step.name), " ", make("span", { class: "note" }, MAKES[step.name] ?? ""), " ", make("span", { class: `badge ${state.kind}` }, state.word)),
      run ? make("p", { class: "line" }, run.line || "–") : state.why ? make("p", { class: "line" }, state.why) : null,
      old.length ? make("p", { class: "line warn-text" }, `${old.join(" and ")} was made anew since: run this again to follow`) : null,
      run ? make("p", { class: "note meta" }, `${began(run, step.due_ms)} · took ${took(run)} · ${who(run)}`, run.input_hash ? [" · input ", hash(run.input_hash)] : "") : null,
      before.length ? make("details", {}, make("summary", {}, plural(before.length, "earlier run")),
        make("ul", { class: "earlier" }, before.map((each) => make("li", {}, `${both(each.began_ms)} · ${each.state} · ${who(each)}${each.input_hash ? ` · input ${each.input_hash.slice(0, 8)}` : ""}: ${each.line}`)))) : null),
    button);
};
