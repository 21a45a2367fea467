// Code that comes when it is needed, and the focus that stays where it was when something is drawn anew.

import { Refused } from "./session.js";

/** Fetch a module of the page. After an upgrade of the service those of the version before are gone. */
export const fetched = (module) => import(module).catch(() => {
  throw new Refused(0, "this part of the page could not be had: load the page again");
});

const nameOf = (element) => element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.textContent;

/** Draw the content of a place anew; the link or button that has the focus gets it again. */
export const keepFocus = (place, work) => {
  const at = document.activeElement;
  const name = place.contains(at) ? nameOf(at) : null;
  work();
  if (name === null || place.contains(document.activeElement)) return;
  [...place.querySelectorAll("a, button, summary")].find((each) => nameOf(each) === name)?.focus({ preventScroll: true });
};
