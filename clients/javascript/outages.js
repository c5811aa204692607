'use strict';
// Why requests are answered with 503, in the log of your server: a line in ten seconds, and nothing of a request.

const REST_MS = 10_000;

class Outages {
  /** `clock` is a time in milliseconds that only grows, whatever becomes of the time of day. */
  constructor(smartauth, clock = () => performance.now()) {
    this.host = new URL(smartauth).host;
    this.clock = clock;
    this.restsUntil = 0;
  }

  /** A warning, unless there was one just now. */
  tell(reason) {
    const now = this.clock();
    if (now < this.restsUntil) return;
    this.restsUntil = now + REST_MS;
    console.warn(`smartauth: requests are answered with 503: smartauth at ${this.host} decided nothing: ${reason}`);
  }
}

module.exports = { Outages };
