// The style of the views that come later: fetched with the first of them, and waited for.

import { make } from "./dom.js";

const link = make("link", { rel: "stylesheet", href: new URL("./later.css", import.meta.url).href });
await new Promise((done) => {
  link.addEventListener("load", done);
  link.addEventListener("error", done);
  document.head.append(link);
});
