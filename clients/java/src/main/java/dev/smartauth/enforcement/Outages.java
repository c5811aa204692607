// Why requests are answered with 503, in the log of your server: a line in ten seconds, and nothing of a request.
package dev.smartauth.enforcement;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Those of one smartauth, which is named by its host; `clock` is a time in nanoseconds that only grows. */
final class Outages {
  private static final System.Logger LOG = System.getLogger("dev.smartauth.enforcement");
  private static final long REST = TimeUnit.SECONDS.toNanos(10);

  private final String host;
  private final LongSupplier clock;
  private final AtomicLong restsUntil;

  Outages(String host, LongSupplier clock) {
    this.host = host;
    this.clock = clock;
    restsUntil = new AtomicLong(clock.getAsLong());
  }

  /** A warning, unless there was one just now. */
  void tell(String reason) {
    long now = clock.getAsLong();
    long until = restsUntil.get();
    if (now - until < 0 || !restsUntil.compareAndSet(until, now + REST)) return; // another thread tells
    String told = "requests are answered with 503: smartauth at " + host + " decided nothing: " + reason;
    LOG.log(System.Logger.Level.WARNING, told);
  }
}
