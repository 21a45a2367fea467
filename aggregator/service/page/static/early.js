"use strict";
// Ask for what every view begins with while the browser still fetches the modules: session.js takes
// the answers. Nothing is asked before somebody signed in.
if (globalThis.gridpactEarly === undefined) {
  const secret = sessionStorage.getItem("gridpact-token");
  const scope = sessionStorage.getItem("gridpact-scope");
  const paths = scope === null ? [] : scope === "home" ? ["api/page"] : ["api/page", "api/fleet"];
  const ask = (path) => {
    const answer = fetch(path, { headers: { Authorization: `Bearer ${secret}` }, cache: "no-store", credentials: "omit", redirect: "error" });
    // who takes it sees that it failed
    answer.catch(() => {});
    return [path, answer];
  };
  globalThis.gridpactEarly = new Map(secret === null ? [] : paths.map(ask));
}
