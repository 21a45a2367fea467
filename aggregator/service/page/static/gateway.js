// How a home's gateway gets in. Passwords and tokens are made at the service's own computer and never
// come over this page: it says which command makes them.

import { make, toast } from "./dom.js";

const copied = async (words) => {
  try {
    await navigator.clipboard.writeText(words);
    toast("Copied");
  } catch {
    // no clipboard without TLS: it can be marked by hand
    toast(words);
  }
};

const command = (words) => make("p", { class: "command" }, make("code", {}, words),
  make("button", { type: "button", class: "small", "aria-label": `Copy ${words}`, onclick: () => copied(words) }, "Copy"));

/** Return the steps for a home. */
export const gatewaySteps = (home) => make("div", { class: "admission" },
  make("ol", {},
    make("li", {}, "At the service’s computer, where its built-in broker is used:", command(`gridpact serve gateway ${home}`),
      make("p", { class: "note" }, "It makes a password, writes it into ", make("code", {}, `${home}.password`), " in the service’s folder, readable by its owner only, and shows it nowhere. Again it makes another one, and the one before no longer counts.")),
    make("li", {}, "At a broker of your own: make a user ", make("code", {}, home), " who may use the topics under ", make("code", {}, home), " alone (docs/mqtt.md has the access list)."),
    make("li", {}, "Move the password’s file, and ", make("code", {}, "tls/ca.pem"), ", to the gateway. In its ", make("code", {}, "[broker]"), " name them ", make("code", {}, "password_file"), " and ", make("code", {}, "ca_file"), ", with ", make("code", {}, `user = "${home}"`), ". Then delete the password’s file here."),
    make("li", {}, "For a display in the home, or for the member:", command(`gridpact serve token new display --home ${home}`),
      make("p", { class: "note" }, "Its token reads this home alone, and is printed once."))),
  make("p", { class: "note" }, "Where the service is started with a file, it is ", make("code", {}, "gridpact serve --config service.toml …"), "."));
