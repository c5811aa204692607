// What Smartauth writes into the log: of the question that the argument names, or by a clock that goes as told.
package dev.smartauth.enforcement;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

public class Log {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("clock")) {
      tell(Arrays.stream(arguments).skip(1).map(Long::valueOf).iterator());
      return;
    }
    Smartauth smartauth = new Smartauth();
    for (int i = 0; i < 3; i++) {
      try {
        ask(smartauth, arguments[0]);
      } catch (Smartauth.Refusal refusal) {
        System.out.println(refusal.status);
      }
    }
  }

  private static void ask(Smartauth smartauth, String what) throws Exception {
    switch (what) {
      case "decision" -> smartauth.decide("a-token", "GET", "Observation/o?code=x");
      case "decisions" -> {
        String some = "{\"view\": {\"Observation\": [{\"who\": {\"self\": \"Observation/o\"}, \"where\": []}]}}";
        List<ObjectNode> records = List.of((ObjectNode) JSON.readTree("{\"resourceType\": \"Observation\"}"));
        smartauth.visible("a-token", "read", "Observation", JSON.readTree(some), records);
      }
      case "document" -> smartauth.smartConfiguration();
      default -> throw new IllegalArgumentException(what);
    }
  }

  /** Tells of an outage at each of these times but the first, at which the server starts. */
  private static void tell(Iterator<Long> seconds) {
    long[] now = {seconds.next()};
    Outages outages = new Outages("auth.example.org", () -> now[0] * 1_000_000_000);
    while (seconds.hasNext()) {
      now[0] = seconds.next();
      outages.tell("at " + now[0]);
    }
  }
}
