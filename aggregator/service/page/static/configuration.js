// What is configured of a home and its devices, on the home's own page.

import { called, lines } from "./configured.js";
import { make } from "./dom.js";
import { UNKNOWN } from "./format.js";
import { fetched } from "./later.js";
import "./sheet.js";

const escaped = encodeURIComponent;

/** Where the versions of a thing are shown. */
export const versionsOf = (kind, key) => `#/history/${kind}/${key.split("/").map(escaped).join("/")}`;

/** A button that changes something; its code comes when it is first used. */
export const changing = (app, title, label, change) => make("button", { type: "button", class: "small", "aria-label": label, onclick: async () => {
  try {
    const { editor } = await fetched("./editing.js");
    await change(editor(app));
  } catch (error) {
    app.failed(error);
  }
} }, title);

/** The buttons of a thing: change it, take it out of use or put it back. */
export const buttons = (app, kind, key, { retired }) => {
  const thing = called(kind, key);
  return app.canCommand ? [
    retired ? null : changing(app, "Edit…", `Edit ${thing}`, (edit) => edit.edit(kind, key)),
    retired ? changing(app, "Put back in use…", `Put ${thing} back in use`, (edit) => edit.revive(kind, key))
      : changing(app, "Out of use…", `Take ${thing} out of use`, (edit) => edit.retire(kind, key)),
  ] : [];
};

const facts = (kind, body) => make("dl", { class: "facts" }, lines(kind, body).filter(([, words]) => words !== UNKNOWN).flatMap(([label, words]) => [make("dt", {}, label), make("dd", {}, words)]));

export class Configuration {
  constructor(app) { this.app = app; }

  /** Show what is configured; `home` and `devices` are what the service tells of it. */
  show(place, id, home, devices) {
    // a member's page has no place for versions and broker passwords
    const versions = (kind, key) => (this.app.home === null ? make("a", { href: versionsOf(kind, key), "aria-label": `Versions of ${called(kind, key)}` }, "Versions") : null);
    const device = (each) => make("li", {},
      make("div", { class: "head" }, make("h3", {}, each.id, each.retired ? make("span", { class: "badge" }, "out of use") : null), make("div", { class: "buttons" }, versions("device", `${id}/${each.id}`), buttons(this.app, "device", `${id}/${each.id}`, each))),
      facts("device", each.configuration));
    place.replaceChildren(
      make("div", { class: "head" }, make("h2", { id: "title-configuration" }, "Configuration"), make("div", { class: "buttons" }, versions("home", id), buttons(this.app, "home", id, home))),
      make("p", { class: "note" }, home.version === 0 ? "It was heard of and never configured." : `Version ${home.version}${home.retired ? ", out of use" : ""}.`),
      facts("home", home.configuration),
      make("div", { class: "head" }, make("h2", {}, "Devices"), this.app.canCommand ? changing(this.app, "Add a device…", "Add a device", (edit) => edit.add("device", id)) : null),
      devices.length ? make("ul", { class: "devices" }, devices.map(device)) : make("p", { class: "empty" }, "None is configured."),
      this.app.canCommand ? this.admission(id) : "");
  }

  admission(id) {
    const place = make("details", {}, make("summary", {}, "How its gateway gets in"));
    place.addEventListener("toggle", async () => {
      const { gatewaySteps } = await fetched("./gateway.js");
      if (place.children.length === 1) place.append(gatewaySteps(id));
    });
    return place;
  }
}
