// Running a step again: what it does is said and confirmed first; how it goes is seen in the timeline.

import { MAKES } from "./cycle_steps.js";
import { byId, make, toast } from "./dom.js";
import { dayName } from "./format.js";
import { request } from "./session.js";

/** A solver may take its time, and the steps wait for one another. [ms] */
const LONGEST_MS = 1_800_000;

export class RunDialog {
  constructor(view) {
    this.view = view;
    this.dialog = byId("run-step");
  }

  /** Ask whether a step of a day is to be run. */
  ask(step, day, run) {
    const go = make("button", { type: "button", class: "main", onclick: () => this.run(step, day) }, `Run ${step.name}`);
    const back = make("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel");
    this.dialog.replaceChildren(make("div", { class: "form" },
      make("h2", { id: "run-step-title" }, run ? "Run this step again?" : "Run this step?"),
      make("p", { class: step.on_ledger ? "says many" : "says" }, make("b", {}, step.name), ` of ${dayName(day)}: ${MAKES[step.name] ?? ""}.`),
      step.on_ledger ? make("p", {}, "It writes to the ledger. What stands there stays; nothing is posted or paid twice.") : null,
      make("p", { class: "note" }, run ? "What it makes takes the place of what it made before. From the same input it makes the same." : "It makes what it can from what is there, and says so where something is missing.",
        " Steps that were made from it stay as they are until they are run again. It stands in the audit log under your token."),
      make("div", { class: "buttons" }, back, go)));
    this.dialog.showModal();
    // not the button that runs: Enter twice must change nothing
    back.focus();
  }

  async run(step, day) {
    this.dialog.close();
    const { app } = this.view;
    const answer = request(`api/day/${day}/${step.name}`, { method: "POST", signal: AbortSignal.timeout(LONGEST_MS) });
    // it is written down before it begins: seen as running
    setTimeout(() => this.view.follow().catch(() => {}), 300);
    try {
      const run = await (await answer).json();
      toast(`${step.name} ${run.state}: ${run.line}`, run.state === "failed");
    } catch (error) {
      // a proxy may not wait that long: the timeline tells how it ended
      app.failed(error);
    }
    if (app.view === "day" && this.view.day === day) await this.view.load().catch((error) => app.failed(error));
  }
}
