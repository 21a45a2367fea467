// The day cycle: the steps that make a market day, how each of them went, and what they made.

import { CyclePapers } from "./cycle_papers.js";
import { RunDialog } from "./cycle_run.js";
import { latest, stateOf, stepRow, summary } from "./cycle_steps.js";
import { byId, make, say } from "./dom.js";
import { dayName, isDay, isoDay } from "./format.js";
import { read } from "./session.js";

const DAY_MS = 864e5;
const WHENS = ["the day before", "on the day", "the day after"];
/** While a step runs it is looked for so often, else now and then. [ms] */
const RUNNING_MS = 1_000;
const REFRESH_MS = 30_000;
const later = (day, days) => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);

export class CycleView {
  constructor(app) {
    this.app = app;
    this.runs = new RunDialog(this);
    this.build();
  }

  build() {
    const button = (words, label, work) => make("button", { type: "button", "aria-label": label, onclick: work }, words);
    this.input = make("input", { type: "date", "aria-label": "Market day", onchange: (event) => { if (event.target.value) this.choose(event.target.value); } });
    this.near = [["Yesterday", -1], ["Today", 0], ["Tomorrow", 1]].map(([words, days]) => {
      const choice = button(words, null, () => this.choose(this.nearDay(days)));
      choice.dataset.days = days;
      return choice;
    });
    byId("cycle-choice").replaceChildren(
      button("‹", "The day before", () => this.choose(later(this.day, -1))), this.input,
      button("›", "The day after", () => this.choose(later(this.day, 1))), make("span", { class: "spans" }, this.near));
    this.title = make("h2", { id: "title-steps" });
    this.told = make("p", { class: "note", role: "status" });
    this.trouble = make("ul", { class: "alarms trouble" });
    this.steps = make("div", { class: "steps-by-day" });
    this.papers = new CyclePapers(this.app);
    byId("cycle").replaceChildren(
      make("section", { class: "card", "aria-labelledby": "title-steps" }, make("div", { class: "head" }, this.title, this.told), this.trouble, this.steps),
      ...this.papers.cards);
  }

  nearDay(days) { return later(isoDay(this.app.now()), days); }

  /** Show a day; without one, today. */
  async enter(day) {
    this.day = isDay(day) ? day : this.nearDay(0);
    await this.load();
  }

  /** Another day: the address tells it, and the reader stays where they are. */
  choose(day) {
    this.day = day;
    history.replaceState(null, "", `#/day/${day}`);
    this.load().catch((error) => this.app.failed(error));
  }

  async beat() {
    if (Date.now() - this.askedMs >= REFRESH_MS) await this.load();
    else this.showSteps();
  }

  /** Ask for all of it; what is asked for later wins. */
  async load() {
    const { day } = this;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.askedMs = Date.now();
    this.input.value = day;
    for (const choice of this.near) choice.setAttribute("aria-pressed", String(this.nearDay(Number(choice.dataset.days)) === day));
    say(this.title, dayName(day));
    byId("cycle").setAttribute("aria-busy", "true");
    const [found, runs, scores, reliability] = await Promise.all([read(`api/page/day/${day}`), ...["runs", "scores", "reliability"].map((name) => read(`api/day/${day}/${name}`))]);
    if (turn !== this.turn) return;
    byId("cycle").removeAttribute("aria-busy");
    this.found = found;
    this.took(runs);
    this.papers.show(found, { scores, reliability });
    // reads the telemetry of all homes: the rest does not wait for it
    const forecasts = await read(`api/page/day/${day}/forecasts`);
    if (turn === this.turn) this.papers.showForecasts(found, forecasts, scores);
  }

  /** Ask how the steps are, again and again while one of them runs. */
  async follow() {
    const { day } = this;
    const runs = await read(`api/day/${day}/runs`);
    if (day === this.day) this.took(runs);
  }

  took(runs) {
    this.ran = runs;
    this.showSteps();
    clearTimeout(this.following);
    const running = [...latest(runs).values()].some(({ state }) => state === "running");
    if (running && this.app.view === "day") this.following = setTimeout(() => this.follow().catch(() => {}), RUNNING_MS);
  }

  showSteps() {
    if (!this.found || !this.ran) return;
    const now = this.app.now();
    const last = latest(this.ran);
    // what was entered by hand between the steps, such as a market's result, stands among them
    const known = new Set(this.found.steps.map(({ name }) => name));
    const besides = [...last.values()].filter(({ step }) => !known.has(step)).map((run) => ({ name: run.step, when: WHENS[0], due_ms: run.began_ms, each_min: null, needs: [], byHand: true }));
    const steps = [...this.found.steps, ...besides].sort((one, other) => one.due_ms - other.due_ms);
    const shown = steps.map((step) => ({ step, run: last.get(step.name), runs: this.ran.filter((run) => run.step === step.name), state: stateOf(step, last, this.found, now) }));
    const words = JSON.stringify(shown.map(({ run, runs, state }) => [run, runs.length, state]));
    say(this.told, summary(shown, this.found));
    // what did not change is not made anew: nobody loses their place in it
    if (words === this.words && this.shownDay === this.day) return;
    Object.assign(this, { words, shownDay: this.day });
    const again = document.activeElement?.closest?.("#cycle [data-step]")?.dataset.step;
    // what failed first, then what is not there
    const trouble = shown.filter(({ state }) => state.trouble).sort((one, other) => (other.state.kind === "bad") - (one.state.kind === "bad"));
    this.trouble.replaceChildren(...trouble.map((each) => this.troubleRow(each)));
    this.steps.replaceChildren(...WHENS.map((when, place) => make("div", {},
      make("h3", {}, `${when[0].toUpperCase()}${when.slice(1)}`, make("span", { class: "note" }, ` ${dayName(later(this.day, place - 1)).replace(/ \d{4}$/, "")}`)),
      make("ol", { class: "steps" }, shown.filter(({ step }) => step.when === when).map((each) => stepRow(each, this.ran, this.runButton(each.step, each.run)))))));
    if (again) this.steps.querySelector(`[data-step="${again}"] > button`)?.focus();
  }

  troubleRow({ step, run, state }) {
    return make("li", { "data-step": step.name, class: state.kind },
      make("div", { class: "line" }, make("b", {}, `${step.name} ${state.word}`), `: ${run?.line ?? state.why ?? ""}`),
      this.runButton(step, run));
  }

  runButton(step, run) {
    if (!this.app.canCommand || step.byHand) return null;
    const words = run ? "Run again…" : "Run…";
    return make("button", { type: "button", class: "small", "aria-label": `${words.slice(0, -1)} ${step.name}`,
      // a disabled one would lose the reader's place
      "aria-disabled": run?.state === "running" ? "true" : null, onclick: () => { if (run?.state !== "running") this.runs.ask(step, this.day, run); } }, words);
  }
}
