// Lets smartauth decide about every request of a Spring application, and about each record that it answers with.
package dev.smartauth.enforcement.spring;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.smartauth.enforcement.Smartauth;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.util.ContentCachingResponseWrapper;

public class SmartFilter extends OncePerRequestFilter {
  private static final ObjectMapper JSON = new ObjectMapper() // 72.50 stays 72.50
      .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
      .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));

  private final Smartauth smartauth = new Smartauth();
  private final String path = URI.create(smartauth.base).getPath();

  // Enforcement ------------------------------------------------------------------------------------------------------

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    try {
      String asked = below(request);
      if (isGet(request) && asked.equals("metadata")) {
        chain.doFilter(request, response);
      } else if (isGet(request) && asked.equals(".well-known/smart-configuration")) {
        response.setHeader("Access-Control-Allow-Origin", "*");
        send(response, 200, "application/json", smartauth.smartConfiguration());
      } else {
        String token = Smartauth.token(Collections.list(request.getHeaders("Authorization")));
        NarrowedRequest narrowed = new NarrowedRequest(request, asked);
        JsonNode decision = smartauth.decide(token, narrowed.asGet(), narrowed.url());
        if (!narrowed.asGet().equals("GET")) throw refusal(403, "forbidden", "Writes are not open here.");
        narrowed.narrow(decision);
        KeptResponse answer = new KeptResponse(response);
        chain.doFilter(narrowed, answer);
        sendVisible(answer, response, token, narrowed, decision);
      }
    } catch (Smartauth.Refusal refusal) {
      refusal.headers.fields().forEachRemaining(each -> response.setHeader(each.getKey(), each.getValue().asText()));
      send(response, refusal.status, "application/fhir+json", refusal.outcome.toString());
    }
  }

  /** What the application answers, as far as the token may see it; what it cannot show is as if it did not exist. */
  private void sendVisible(KeptResponse answer, HttpServletResponse response, String token,
      NarrowedRequest request, JsonNode decision) throws IOException {
    if (!decision.has("view") && answer.getStatus() < 400) {
      answer.sendHeaders();
      answer.copyBodyToResponse();
      return;
    }
    boolean isAbsent = answer.getStatus() == 404 || answer.getStatus() == 410;
    if (isAbsent && !decision.has("hide")) throw refusal(404, "not-found", "There is nothing here for you.");
    int status = answer.getStatus() < 400 ? 500 : answer.getStatus();
    if (!isAbsent && answer.getStatus() != 200) throw refusal(status, "processing", "The request was not answered.");
    // of what is absent smartauth is asked all the same: what is hidden takes no longer than what never was
    ObjectNode found = isAbsent ? request.asIfThere() : parsed(answer.getContentAsByteArray());
    // what is read by its id is one record, also a Bundle that somebody stored
    boolean isBundle = request.findsMany() && found.path("resourceType").asText().equals("Bundle");
    List<JsonNode> entries = new ArrayList<>();
    if (isBundle) for (JsonNode each : found.path("entry")) if (each.path("resource").isObject()) entries.add(each);
    List<ObjectNode> records = isBundle
        ? entries.stream().map(each -> (ObjectNode) each.path("resource")).toList() : List.of(found);
    List<Boolean> visible = smartauth.visible(token, request.interaction(), request.type(), decision, records);
    boolean isSearchset = isBundle && request.isSearch();
    if (isAbsent || (!isSearchset && !visible.contains(true))) throw new Smartauth.Refusal(decision.path("hide"));
    if (isBundle) keepVisible(found, entries, visible, request);
    else answer.sendHeaders();
    send(response, 200, "application/fhir+json", found.toString());
  }

  /** Leaves the Bundle nothing but what may be seen: no count and no pages that tell of more. */
  private static void keepVisible(
      ObjectNode bundle, List<JsonNode> entries, List<Boolean> visible, NarrowedRequest request) {
    ArrayNode shown = JSON.createArrayNode();
    for (int i = 0; i < entries.size(); i++) if (visible.get(i)) shown.add(entries.get(i));
    long matches = matches(shown);
    // an application that ignores a parameter counts what may not be seen
    boolean isCounted = bundle.path("total").asLong(-1) == matches;
    boolean isWhole = matches == matches(entries);
    for (JsonNode each : bundle.path("link")) {
      boolean isNext = each.path("relation").asText().equals("next");
      if (isNext && !request.isSearch()) throw refusal(403, "too-costly", "This history has more than one page.");
    }
    bundle.retain("resourceType", "type", "total", "link");
    if (!request.isSearch()) bundle.put("total", shown.size());
    else if (!isWhole || !isCounted) bundle.remove("total");
    if (!isWhole || !request.isSearch() || request.isCount()) bundle.remove("link");
    if (!shown.isEmpty() && !request.isCount()) bundle.set("entry", shown);
  }

  private static long matches(Iterable<JsonNode> entries) {
    long found = 0;
    for (JsonNode each : entries) if (!each.path("search").path("mode").asText().equals("include")) found++;
    return found;
  }

  private static ObjectNode parsed(byte[] body) {
    try {
      if (JSON.readTree(body) instanceof ObjectNode found) return found;
    } catch (IOException problem) {
      // as if there had been no answer
    }
    throw refusal(500, "exception", "The request was not answered.");
  }

  /**
   * An answer that waits, with its headers, which would tell of a record that is hidden. Of an error the status is enough,
   * and no page of the container is sent.
   */
  private static class KeptResponse extends ContentCachingResponseWrapper {
    private final List<Runnable> headers = new ArrayList<>();

    KeptResponse(HttpServletResponse response) {
      super(response);
    }

    void sendHeaders() {
      headers.forEach(Runnable::run);
    }

    @Override
    public void setHeader(String name, String value) {
      headers.add(() -> super.setHeader(name, value));
    }

    @Override
    public void addHeader(String name, String value) {
      headers.add(() -> super.addHeader(name, value));
    }

    @Override
    public void setDateHeader(String name, long date) {
      headers.add(() -> super.setDateHeader(name, date));
    }

    @Override
    public void addDateHeader(String name, long date) {
      headers.add(() -> super.addDateHeader(name, date));
    }

    @Override
    public void setIntHeader(String name, int value) {
      headers.add(() -> super.setIntHeader(name, value));
    }

    @Override
    public void addIntHeader(String name, int value) {
      headers.add(() -> super.addIntHeader(name, value));
    }

    @Override
    public void addCookie(Cookie cookie) {
      headers.add(() -> super.addCookie(cookie));
    }

    @Override
    public void setLocale(Locale locale) {
      headers.add(() -> super.setLocale(locale));
    }

    @Override
    public void sendRedirect(String location) {
      setStatus(SC_FOUND);
      setHeader("Location", location);
    }

    @Override
    public void sendError(int status) {
      setStatus(status);
    }

    @Override
    public void sendError(int status, String text) {
      setStatus(status);
    }
  }

  // The request ------------------------------------------------------------------------------------------------------

  private String below(HttpServletRequest request) {
    String asked = request.getRequestURI();
    if (!asked.startsWith(path + "/")) throw refusal(404, "not-found", "There is nothing here for you.");
    return asked.substring(path.length() + 1);
  }

  private static boolean isGet(HttpServletRequest request) {
    return request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
  }

  // Answers ----------------------------------------------------------------------------------------------------------

  private static Smartauth.Refusal refusal(int status, String code, String text) {
    return Smartauth.refusal(status, null, null, code, text);
  }

  private static void send(HttpServletResponse response, int status, String kind, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    response.setStatus(status);
    response.setContentType(kind);
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }
}
