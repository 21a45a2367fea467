// Making elements. Text is only ever text: nothing here turns words into markup.

const SVG = "http://www.w3.org/2000/svg";

/** Return the element of an id. */
export const byId = (id) => document.getElementById(id);

const furnish = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
};

/** Return a new element; `on…` are listeners, `--…` custom properties, children may be text. */
export const make = (tag, attributes = {}, ...children) =>
  furnish(document.createElement(tag), attributes, children);

/** The same of a drawing. */
export const draw = (tag, attributes = {}, ...children) =>
  furnish(document.createElementNS(SVG, tag), attributes, children);

/** Write text only where it differs, so that what did not change is neither drawn nor read again. */
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Return a function that calls `work` once with the next frame, however often it is asked to. */
export const eachFrame = (work) => {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
};

/** Return a figure with its name, and what there is to it. */
export const tile = (name, value, more = "", kind = "") =>
  make("div", { class: `tile ${kind}`, role: "group", "aria-label": name },
    make("span", { class: "name" }, name), make("span", { class: "value" }, value), make("span", { class: "more" }, more));

/** Return how a column of a table is drawn: words begin at the left, what is narrow is left out on a phone. */
export const columnKind = ({ words, narrow }) => [words && "words", narrow && "hide-narrow"].filter(Boolean).join(" ") || null;

/** Return a table; `columns` are {name, words, narrow, cell(row)}. */
export const table = (caption, columns, rows) => {
  const head = columns.map((column) => make("th", { scope: "col", class: columnKind(column) }, column.name));
  const body = rows.map((row) =>
    make("tr", {}, columns.map((column, place) =>
      make(place ? "td" : "th", { class: columnKind(column), scope: place ? null : "row" }, column.cell(row)))));
  return make("table", {},
    make("caption", { class: "unseen" }, caption),
    make("thead", {}, make("tr", {}, head)),
    make("tbody", {}, body));
};

/** Return a list that says what the lines of a drawing are. */
export const legend = (entries) =>
  entries.map(([name, role, kind]) =>
    make("li", {}, make("i", { class: kind, "aria-hidden": "true", "--role": `var(--${role})` }), name));

let probe = null;

/** Return a colour of the page as a canvas takes it, in the scheme that is shown. */
export const colour = (role) => {
  probe ??= document.body.appendChild(make("i", { hidden: true }));
  probe.style.color = `var(--${role})`;
  return getComputedStyle(probe).color;
};

/** Say in a corner what was done, or what could not be. */
export const toast = (line, bad = false) => {
  const told = make("p", { class: bad ? "toast bad" : "toast" }, line);
  byId("toasts").append(told);
  setTimeout(() => told.remove(), 8000);
};
