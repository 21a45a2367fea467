// Who is signed in, and how the service is asked. The token is kept for this tab alone and goes
// nowhere but into the header of requests to where the page came from.

const KEY = "gridpact-token";
const SCOPE = "gridpact-scope";
const ENDED = "gridpact-ended";

/** What the service answered where it would not do as asked. */
export class Refused extends Error {
  constructor(status, line, waitS = 0) {
    super(line);
    this.status = status;
    this.waitS = waitS;
  }
}

let secret = sessionStorage.getItem(KEY);
let heard = () => {};
let ended = () => {};

/** Say who wants to know that the service answered, and that the token is no longer good. */
export const onAnswers = (listener) => { heard = listener; };
export const onEnded = (listener) => { ended = listener; };

export const signedIn = () => secret !== null;
export const signIn = (token) => {
  secret = token;
  sessionStorage.setItem(KEY, token);
};
/** Remember over a reload that the token was refused; `wasEnded()` says so once. */
export const keepEnded = () => sessionStorage.setItem(ENDED, "yes");
export const wasEnded = () => {
  const was = sessionStorage.getItem(ENDED) !== null;
  sessionStorage.removeItem(ENDED);
  return was;
};
/** Remember what the token is for, so that early.js knows what to ask. */
export const keepScope = (scope) => sessionStorage.setItem(SCOPE, scope);
export const signOut = () => {
  secret = null;
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(SCOPE);
};

// where that comes later than we do, it has nothing to ask
const asked = (globalThis.gridpactEarly ??= new Map());

/** Return an answer that early.js asked for, once. */
const early = (path, method) => {
  const answer = method === "GET" ? asked.get(path) : undefined;
  asked.delete(path);
  return answer;
};

const refusal = async (answer) => {
  let line = `the service answered ${answer.status}`;
  try {
    line = (await answer.json()).detail ?? line;
  } catch {
    // no words of the service's: a proxy in between
  }
  return new Refused(answer.status, line, Number(answer.headers.get("Retry-After") ?? 0));
};

/** Ask; returns the answer, or throws `Refused` (status 0: there was no answer). */
export const request = async (path, { method = "GET", headers = {}, body, signal } = {}) => {
  let answer;
  const told = { Authorization: `Bearer ${secret}`, ...headers };
  if (body !== undefined) told["Content-Type"] = "application/json";
  try {
    answer = await (early(path, method) ?? fetch(path, {
      method, signal, headers: told, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "omit", redirect: "error",
    }));
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, "the service does not answer");
  }
  if (answer.status === 401) ended();
  if (!answer.ok && answer.status !== 304) throw await refusal(answer);
  heard();
  return answer;
};

/** Ask for what is there. */
export const read = async (path, query = {}) => {
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const answer = await request(words.size ? `${path}?${words}` : path, { signal: AbortSignal.timeout(30_000) });
  return answer.json();
};

/** Have something done; returns what is told of it, null for nothing. */
export const post = async (path, body) => {
  const answer = await request(path, { method: "POST", body, signal: AbortSignal.timeout(30_000) });
  return answer.status === 204 ? null : answer.json();
};
