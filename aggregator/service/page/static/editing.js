// Changing what is configured: a form, then what will change in which version, then the change. Where
// somebody else was quicker nothing is lost: what they wrote is shown, and ours goes on top of it.

import { all, called, current, differences, ID, KINDS, part, write } from "./configured.js";
import { byId, make, say, table, toast } from "./dom.js";
import { newField } from "./fields.js";
import { both } from "./format.js";
import { gatewaySteps } from "./gateway.js";
import { read, Refused } from "./session.js";
import "./sheet.js";

const REFUSED_FIELD = /^body\.([A-Za-z0-9_.]+) is .*?: (.*)$/;
/** Writing again does no harm: where the first did arrive, the second is for a version that is no more. */
const UNANSWERED = "The service did not answer: it may have been written or not. Try again, then it says so.";
const EMPTY = { kind: "battery" };

const withPart = (body, name, value) => {
  const [first, ...rest] = name.split(".");
  return { ...body, [first]: rest.length ? withPart(body?.[first], rest.join("."), value) : value };
};
const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** Return our body where we changed it, theirs elsewhere. */
const merged = (kind, body, before, theirs) => KINDS[kind].fields.reduce(
  (found, { name }) => (same(part(body, name), part(before, name)) ? found : withPart(found, name, part(body, name))), theirs);

/**
 * What is about to be changed: `kind`, `key`; `base` as it was read (null: it is new); `body` it shall
 * be (null: out of use); `comment` why; `whole` is not to be mixed with what others write.
 */
class Editor {
  constructor(app) {
    this.app = app;
    this.dialog = document.body.appendChild(make("dialog", { class: "edit", "aria-labelledby": "edit-title" }));
    this.dialog.addEventListener("cancel", (event) => this.leave(event));
  }

  /** Change a thing. */
  async edit(kind, key) {
    const base = await current(kind, key);
    await this.form({ kind, key, base, body: base.configuration, comment: "" });
  }

  /** Add a thing; a device's is added to a home. */
  async add(kind, home = null) {
    await this.form({ kind, key: null, home, base: null, body: kind === "device" ? EMPTY : {}, comment: "" });
  }

  /** Take a thing out of use. */
  async retire(kind, key) {
    this.ask({ kind, key, base: await current(kind, key), body: null, comment: "" });
  }

  /** Put a thing that is out of use back. */
  async revive(kind, key) {
    const base = await current(kind, key);
    this.ask({ kind, key, base, body: base.configuration, comment: "" });
  }

  /** Make an older version the newest one. */
  async restore(kind, key, { version, configuration: { retired, ...body } }) {
    this.ask({ kind, key, base: await current(kind, key), body, comment: `version ${version} again`, whole: true });
  }

  /** Review what needs no form. */
  ask(change) {
    this.filled = null;
    this.touched = false;
    this.review(change);
  }

  show(...children) {
    this.problem = make("p", { class: "error", role: "alert" });
    this.dialog.replaceChildren(make("div", { class: "form" }, children.slice(0, -1), this.problem, children.at(-1)));
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Escape does not drop what was written without a word. */
  leave(event) {
    if (!this.touched) return;
    event.preventDefault();
    say(this.problem, "What you wrote is not kept yet. Cancel drops it.");
  }

  close() {
    this.touched = false;
    this.dialog.close();
  }

  async options(kind) {
    const tariffs = kind === "home" ? await all("api/tariffs") : [];
    return { tariffs: [["", "none"], ...tariffs.filter(({ retired }) => !retired).map(({ id, configuration: { name } }) => [id, name ? `${id} (${name})` : id])] };
  }

  /** Ask what it shall be. */
  async form(change) {
    const { kind, base, body } = change;
    const options = await this.options(kind);
    const chosen = (field) => (Array.isArray(field.options) ? field.options.map((each) => [each, each]) : options[field.options]);
    this.fields = [...(change.key === null ? [ID] : []), ...KINDS[kind].fields].map((field) => newField(field, field === ID ? "" : part(body, field.name), field.options && chosen(field)));
    const lists = { groups: [...this.app.fleet.byGroup().keys()], zones: kind === "home" ? Intl.supportedValuesOf("timeZone") : [] };
    const title = base === null ? `Add a ${kind}${change.home ? ` to ${change.home}` : ""}` : `Change ${called(kind, change.key)}`;
    this.filled = make("form", { method: "dialog", novalidate: true, oninput: () => { this.touched = true; } },
      make("h2", { id: "edit-title" }, title),
      this.fields.map(({ element }) => element),
      Object.entries(lists).map(([name, words]) => make("datalist", { id: `list-${name}` }, words.map((value) => make("option", { value })))),
      make("p", { class: "error", role: "alert" }),
      make("div", { class: "buttons" }, make("button", { type: "button", onclick: () => this.close() }, "Cancel"), make("button", { class: "main" }, "Review…")));
    this.filled.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(change);
    });
    const which = this.fields.find(({ field }) => field.name === "kind");
    which?.place.addEventListener("change", () => this.fit(which.place.value, body));
    if (which) this.fit(which.place.value, body);
    this.touched = false;
    this.showForm();
  }

  showForm() {
    this.problem = this.filled.querySelector(".error[role=alert]");
    this.dialog.replaceChildren(this.filled);
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Show the fields that a device of a kind has, and those that hold something. */
  fit(kind, body) {
    for (const { field, element } of this.fields) element.hidden = Boolean(field.only) && !field.only.includes(kind) && (body[field.name] ?? null) === null;
  }

  /** Check every field; the first that is wrong gets the focus. */
  submit(change) {
    let wrong = null;
    let body = change.base === null ? {} : change.base.configuration;
    let { key } = change;
    for (const each of this.fields) {
      const { value = null, problem = "" } = each.element.hidden ? {} : each.take();
      const marked = each.blame(problem || (each.field.name === "soc_max" && body.soc_min !== null && value !== null && value < body.soc_min ? "Not below the least." : ""));
      if (marked.hasAttribute("aria-invalid")) wrong ??= marked;
      if (each.field === ID) key = change.home ? `${change.home}/${value}` : value;
      else body = withPart(body, each.field.name, value);
    }
    if (wrong) wrong.focus();
    else this.review({ ...change, key, body });
  }

  /** Say what will change; it is written when that is confirmed. */
  review(change, note = null) {
    const { kind, key, base, body } = change;
    const told = differences(kind, base && { ...base.configuration, retired: base.retired }, body === null ? { ...base.configuration, retired: true } : { ...body, retired: false });
    if (!told.length) {
      this.same(change, note);
      return;
    }
    const next = base === null ? 1 : base.version + 1;
    const thing = called(kind, key);
    const [title, deed] = base === null ? [`Add ${thing}?`, `Add ${key.split("/").at(-1)}`] : body === null ? [`Take ${thing} out of use?`, "Take out of use"] : [`Change ${thing}?`, `Write version ${next}`];
    const why = make("input", { id: "edit-comment", maxlength: 200, autocomplete: "off", value: change.comment });
    const send = make("button", { type: "button", class: "main", onclick: () => this.send({ ...change, comment: why.value.trim() }, send) }, deed);
    const back = this.filled ? make("button", { type: "button", onclick: () => this.back(change) }, "Back") : make("button", { type: "button", onclick: () => this.close() }, "Cancel");
    const columns = [
      { name: "What", cell: ({ label }) => label },
      base === null ? null : { name: "Now", words: true, cell: ({ before }) => before },
      { name: base === null ? "Will be" : "Then", words: true, cell: ({ after }) => after },
    ].filter(Boolean);
    this.show(
      make("h2", { id: "edit-title", tabindex: -1 }, title),
      note && make("p", { class: "says many", role: "alert" }, note),
      body === null ? make("p", {}, KINDS[kind].gone) : null,
      make("div", { class: "wide" }, table("What will change", columns, told)),
      make("div", { class: "field" }, make("label", { for: "edit-comment" }, "Why, for the history"), why),
      make("p", { class: "note" }, base === null ? "It becomes version 1." : `Version ${base.version} becomes version ${next}, and stays readable.`, " It stands in the audit log under your token."),
      make("div", { class: "buttons" }, back, send));
    why.focus();
  }

  /** There is nothing to write. */
  same(change, note) {
    if (note === null && this.filled?.isConnected) say(this.problem, "Nothing is changed.");
    else {
      this.close();
      toast(`${called(change.kind, change.key)} is so already`);
    }
  }

  async back(change) {
    if (change.rebuild) await this.form({ ...change, rebuild: false });
    else this.showForm();
  }

  async send(change, button) {
    button.disabled = true;
    say(this.problem, "");
    try {
      const { version } = await write(change.kind, change.key, { version: change.base?.version ?? null, body: change.body, comment: change.comment });
      await this.written(change, version).catch((error) => this.app.failed(error));
    } catch (error) {
      button.disabled = false;
      if (error.status === 0 || error.name === "TimeoutError") say(this.problem, UNANSWERED);
      else if (error instanceof Refused) await this.refused(change, error).catch((worse) => say(this.problem, worse.message));
      else throw error;
    }
  }

  /** Show what was refused where it can be mended. */
  async refused(change, error) {
    const [, name, words] = error.status === 422 ? REFUSED_FIELD.exec(error.message) ?? [] : [];
    const of = error.status === 412 && change.base === null ? "id" : /: tariff '/.test(error.message) ? "tariff_id" : name;
    if (error.status === 412 && change.base !== null) {
      await this.overtaken(change);
      return;
    }
    const place = this.filled ? this.fields.find(({ field }) => of === field.name || of?.startsWith(`${field.name}.`)) : null;
    if (!place) {
      say(this.problem, error.message);
      return;
    }
    this.showForm();
    place.blame(of === "id" ? `${change.key.split("/").at(-1)} is there already.` : words ?? error.message).focus();
  }

  /** Somebody else was quicker: say what they wrote, put ours on top of it and ask again. */
  async overtaken(change) {
    const { kind, key, base, body } = change;
    const [fresh, history] = await Promise.all([current(kind, key), read(`${KINDS[kind].path(key)}/history`, { limit: 1 })]);
    const [{ changed_by: who, changed_ms: at } = {}] = history.items;
    const theirs = differences(kind, { ...base.configuration, retired: base.retired }, { ...fresh.configuration, retired: fresh.retired })
      .map(({ label, before, after }) => `${label}: ${before} → ${after}`);
    const ours = body === null || change.whole ? body : merged(kind, body, base.configuration, fresh.configuration);
    this.review({ ...change, base: fresh, body: ours, rebuild: true },
      `Somebody was quicker: version ${fresh.version}${who ? ` by ${who}, ${both(at)}` : ""}${theirs.length ? `: ${theirs.join("; ")}` : ""}. Nothing of it is lost: yours goes on top. Look again.`);
  }

  async written({ kind, key, base }, version) {
    const { app } = this;
    // names, groups and what is in use are asked for anew with the next beat
    app.refreshedMs = 0;
    if (base === null && kind === "home") this.admit(key);
    else {
      this.close();
      toast(`${called(kind, key)}: version ${version}`);
    }
    if (app.view === "home") await app.homeView.load();
    else await app.later[app.view]?.enter();
    if (!this.dialog.open) byId(`title-${app.view}`)?.focus({ preventScroll: true });
  }

  /** A home is new: say how its gateway gets in. */
  admit(home) {
    this.touched = false;
    this.show(
      make("h2", { id: "edit-title" }, `${home} is added. Now its gateway`), gatewaySteps(home),
      make("div", { class: "buttons" }, make("button", { type: "button", class: "main", onclick: () => {
        this.close();
        location.hash = `#/home/${encodeURIComponent(home)}`;
      } }, `Show ${home}`)));
  }
}

/** Return the page's editor, made once. */
export const editor = (app) => (app.editor ??= new Editor(app));
