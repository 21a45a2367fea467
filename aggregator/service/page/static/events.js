// Server-sent events out of a stream of text: the browser's own reader sends no header with a token.

/** Return a function that takes pieces of text and calls `tell({kind, id, data})` for each event. */
export const eventReader = (tell) => {
  let rest = "";
  let event = { kind: "message", id: null, data: [] };
  const line = (text) => {
    if (text === "") {
      if (event.data.length) tell({ ...event, data: event.data.join("\n") });
      event = { kind: "message", id: null, data: [] };
      return;
    }
    if (text.startsWith(":")) return;
    const place = text.indexOf(":");
    const name = place < 0 ? text : text.slice(0, place);
    const value = place < 0 ? "" : text.slice(place + 1).replace(/^ /, "");
    if (name === "event") event.kind = value;
    else if (name === "id") event.id = value;
    else if (name === "data") event.data.push(value);
  };
  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(line);
  };
};
