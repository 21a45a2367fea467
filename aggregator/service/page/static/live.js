// What happens in the fleet, as it happens: a stream of events, or asking again and again while
// there is none. It always knows how long ago the service was last heard of.

import { eventReader } from "./events.js";
import { onAnswers, Refused, request } from "./session.js";

/** A stream tells something each 15 s, if only that it is there. [ms] */
const SILENT_MS = 40_000;
/** From one asking to the next while there is no stream. [ms] */
const POLL_MS = 10_000;
/** After so long without an answer what is shown may be wrong. [ms] */
const STALE_MS = 30_000;
const RETRY_LEAST_MS = 1_000;
const RETRY_MOST_MS = 30_000;

/**
 * Watch. `path` is the stream's; `tell(event)` takes what happens; `poll()` asks for everything;
 * `show(state, heardMs)` is told each second: connecting, live, polling or stale.
 */
export class Live {
  constructor({ path, tell, poll, show }) {
    Object.assign(this, { path, tell, poll, show });
    this.heardMs = null;
    this.streaming = false;
    this.lastId = null;
    onAnswers(() => { this.heardMs = Date.now(); });
    this.watch();
    setInterval(() => this.look(), 1000);
    addEventListener("online", () => this.hurry?.());
  }

  get state() {
    if (this.heardMs === null) return "connecting";
    // a stream says something at least each quarter of a minute
    if (Date.now() - this.heardMs > STALE_MS) return "stale";
    return this.streaming ? "live" : "polling";
  }

  look() {
    this.show(this.state, this.heardMs);
    if (!this.streaming && Date.now() - (this.polledMs ?? 0) >= POLL_MS) {
      this.polledMs = Date.now();
      this.poll().catch(() => {});
    }
  }

  async watch() {
    let pauseMs = RETRY_LEAST_MS;
    for (;;) {
      let waitMs = 0;
      try {
        await this.follow(() => { pauseMs = RETRY_LEAST_MS; });
      } catch (error) {
        if (error instanceof Refused) waitMs = error.waitS * 1000;
      }
      this.streaming = false;
      // drawn at random, so that a service that comes back is not asked by all at once
      await this.pause(Math.max(waitMs, pauseMs * (0.5 + Math.random() / 2)));
      pauseMs = Math.min(2 * pauseMs, RETRY_MOST_MS);
    }
  }

  pause(ms) {
    return new Promise((resolve) => {
      this.hurry = resolve;
      setTimeout(resolve, ms);
    });
  }

  /** Read one stream until it ends, or has nothing to say for too long. */
  async follow(begun) {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), SILENT_MS);
    const headers = this.lastId === null ? {} : { "Last-Event-ID": this.lastId };
    try {
      const answer = await request(this.path, { headers, signal: silent.signal });
      const take = eventReader((event) => {
        this.lastId = event.id ?? this.lastId;
        if (!this.streaming) {
          this.streaming = true;
          this.look();
        }
        begun();
        this.tell(event);
      });
      const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await text.read(); !piece.done; piece = await text.read()) {
        this.heardMs = Date.now();
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), SILENT_MS);
        take(piece.value);
      }
    } finally {
      clearTimeout(timer);
      silent.abort();
    }
  }
}
