// Asks smartauth what a request with a token may do. What is not exactly an answer is none, and nothing is served.
package dev.smartauth.enforcement;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public class Smartauth {
  /** What the client is to be told in place of the answer. */
  public static class Refusal extends RuntimeException {
    public final int status;
    public final JsonNode headers;
    public final JsonNode outcome;

    public Refusal(JsonNode told) {
      super(told.path("outcome").toString());
      status = told.path("http").path("status").intValue();
      headers = told.path("http").path("headers");
      outcome = told.path("outcome");
    }
  }

  /** The one search that a view is: by these patients, null for everybody's, and by each of the criteria. */
  public record Narrowing(List<String> patients, List<Criterion> where) {}

  /** A search parameter with its values, joined by commas. */
  public record Criterion(String name, String values) {}

  private static final List<String> CONDITIONS = List.of("hide", "sets", "elements", "refuse", "obligations");
  private static final Pattern BEARER = Pattern.compile("(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)");
  private static final int MOST_ENTRIES = 200; // of one question, and its bytes: smartauth reads 1 MiB
  private static final int MOST_ASKED_BYTES = 900_000;
  private static final int MOST_BYTES = 1_000_000;
  private static final long SECONDS = 3;
  private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
      .followRedirects(HttpClient.Redirect.NEVER).build();
  private static final ObjectMapper JSON = new ObjectMapper()
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  public final String base;
  private final URI evaluation;
  private final URI evaluations;
  private final URI configuration;
  private final String clientId;
  private final String credentials;
  private final Outages outages;

  private record Document(String text, long staleAt) {}

  private volatile Document document = new Document("", System.nanoTime());

  /** From FHIR_BASE, INTROSPECT, CLIENT_ID and CLIENT_SECRET, as `fhir-server add --env` writes them. */
  public Smartauth() {
    base = System.getenv("FHIR_BASE");
    URI introspect = URI.create(System.getenv("INTROSPECT"));
    evaluation = introspect.resolve("../access/v1/evaluation");
    evaluations = introspect.resolve("../access/v1/evaluations");
    configuration = introspect.resolve(
        "smart-configuration?aud=" + URLEncoder.encode(base, StandardCharsets.UTF_8));
    outages = new Outages(introspect.getRawAuthority().replaceFirst("^.*@", ""), System::nanoTime);
    clientId = System.getenv("CLIENT_ID");
    credentials = Base64.getEncoder().encodeToString(
        (clientId + ":" + System.getenv("CLIENT_SECRET")).getBytes(StandardCharsets.UTF_8));
  }

  /** The token in the Authorization headers (RFC 6750 §2.1). Throws Refusal with the challenge where there is none. */
  public static String token(List<String> authorization) {
    String shown = String.join(", ", authorization);
    Matcher bearer = BEARER.matcher(shown);
    if (bearer.matches()) return bearer.group(1);
    String challenge = shown.regionMatches(true, 0, "Bearer ", 0, 7) ? "Bearer error=\"invalid_token\"" : "Bearer";
    String text = "This needs an access token for this server.";
    throw refusal(401, "WWW-Authenticate", challenge, "login", text);
  }

  /** What may be done and shown: `view`, `elements`, `hide`. Throws Refusal where the answer is no. */
  public JsonNode decide(String token, String method, String url) {
    ObjectNode question = about(token);
    ObjectNode context = question.putObject("context").put("base", base);
    ObjectNode http = context.putObject("http").put("method", method).put("url", url);
    if (method.equals("POST")) http.put("form", ""); // what stood in it stands in the URL
    context.putArray("understands").add("fhir-view/1");
    JsonNode answer = ask(evaluation, question);
    JsonNode told = answer.path("context");
    if (isYes(answer) && (told.has("view") ? isView(told) : CONDITIONS.stream().noneMatch(told::has))) return told;
    boolean isNo = answer.path("decision").isBoolean() && !answer.path("decision").booleanValue();
    if (isNo && told.path("http").path("status").isInt()) throw new Refusal(told);
    throw unavailable(flaw(answer));
  }

  private static String flaw(JsonNode answer) {
    JsonNode told = answer.path("context");
    if (!answer.path("decision").isBoolean()) return "decision is neither true nor false";
    if (!isYes(answer)) return "no status to refuse with";
    if (!told.has("view")) return "a condition without a view";
    return told.has("obligations") ? "obligations are not understood" : "the view is not whole";
  }

  /** What keeps a search of that type within the view. Throws Refusal where that is not one search. */
  public static Narrowing narrowing(JsonNode decision, String type) {
    Set<JsonNode> owners = new LinkedHashSet<>();
    Set<JsonNode> wheres = new LinkedHashSet<>();
    for (JsonNode each : decision.path("view").path(type)) {
      owners.add(each.path("who"));
      wheres.add(each.path("where"));
    }
    if (owners.isEmpty() || (owners.size() > 1 && wheres.size() > 1)) throw tooCostly();
    return new Narrowing(patients(owners, decision), criteria(wheres));
  }

  private static List<String> patients(Set<JsonNode> owners, JsonNode decision) {
    Set<String> found = new LinkedHashSet<>();
    for (JsonNode who : owners) {
      if (who.isTextual() && who.asText().equals("all")) return null;
      JsonNode listed = who.path("compartments");
      if (who.has("compartments_of")) listed = decision.path("sets").path(who.path("compartments_of").asText());
      if (!listed.isArray() || listed.isEmpty()) throw tooCostly();
      for (JsonNode each : listed) found.add(each.asText().replaceFirst("^Patient/", ""));
    }
    return List.copyOf(found);
  }

  /** Values of one parameter, of which any will do, are one criterion. */
  private static List<Criterion> criteria(Set<JsonNode> wheres) {
    List<Criterion> found = new ArrayList<>();
    for (JsonNode where : wheres) {
      if (!where.isArray() || (wheres.size() > 1 && where.size() > 1)) throw tooCostly();
      if (where.isEmpty()) return List.of();
      for (JsonNode each : where) {
        List<String> values = new ArrayList<>();
        each.path("values").forEach(value -> values.add(value.asText()));
        found.add(new Criterion(each.path("name").asText(), String.join(",", values)));
      }
    }
    if (wheres.size() == 1) return found;
    if (found.stream().map(Criterion::name).distinct().count() > 1) throw tooCostly();
    return List.of(new Criterion(
        found.get(0).name(), found.stream().map(Criterion::values).collect(Collectors.joining(","))));
  }

  private static Refusal tooCostly() {
    return refusal(403, null, null, "too-costly", "No single search finds what this token may see.");
  }

  /** For each resource whether the client may see it. Those that are not of the type that was asked for are read. */
  public List<Boolean> visible(
      String token, String interaction, String type, JsonNode decision, List<ObjectNode> resources) {
    if (!decision.has("view")) return resources.stream().map(each -> true).toList();
    Boolean[] found = new Boolean[resources.size()];
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < found.length; i++) {
      JsonNode alternatives = decision.path("view").path(resources.get(i).path("resourceType").asText());
      found[i] = isEverything(alternatives);
      if (!found[i] && !alternatives.isEmpty()) open.add(i);
    }
    ArrayNode entries = JSON.createArrayNode();
    for (int i : open) addEntry(entries, interaction, type, decision, resources.get(i));
    for (int asked = 0; asked < open.size(); ) {
      ObjectNode questions = about(token);
      ArrayNode some = questions.putArray("evaluations");
      for (int bytes = 0; asked + some.size() < open.size() && some.size() < MOST_ENTRIES; ) {
        JsonNode next = entries.get(asked + some.size());
        bytes += next.toString().getBytes(StandardCharsets.UTF_8).length;
        if (!some.isEmpty() && bytes > MOST_ASKED_BYTES) break;
        some.add(next);
      }
      JsonNode answers = ask(evaluations, questions).path("evaluations");
      if (answers.size() != some.size()) throw unavailable("not one decision for each resource");
      for (JsonNode answer : answers) found[open.get(asked++)] = isYes(answer);
    }
    return List.of(found);
  }

  private static boolean isEverything(JsonNode alternatives) {
    for (JsonNode each : alternatives) {
      if (each.path("who").asText().equals("all") && each.path("where").isArray() && each.path("where").isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private void addEntry(
      ArrayNode entries, String interaction, String type, JsonNode decision, ObjectNode resource) {
    String own = resource.path("resourceType").asText();
    Set<String> needed = new HashSet<>();
    decision.path("elements").path(own).forEach(path -> needed.add(path.asText().split("\\.")[0]));
    ObjectNode entry = entries.addObject();
    entry.putObject("action").put("name", own.equals(type) ? interaction : "read");
    ObjectNode about = entry.putObject("resource").put("type", own);
    about.put("id", resource.path("id").asText());
    about.putObject("properties").put("base", base).set("content", resource.deepCopy().retain(needed));
  }

  /** The document that apps read before they have a token, read again after five minutes. */
  public String smartConfiguration() {
    Document known = document;
    if (System.nanoTime() - known.staleAt() < 0) return known.text();
    byte[] text = answer(HttpRequest.newBuilder(configuration).build());
    parsed(text);
    document = new Document(new String(text, StandardCharsets.UTF_8), System.nanoTime() + TimeUnit.MINUTES.toNanos(5));
    return document.text();
  }

  private static ObjectNode about(String token) {
    ObjectNode question = JSON.createObjectNode();
    question.putObject("subject").put("type", "access_token").put("id", token);
    return question;
  }

  private static boolean isView(JsonNode told) {
    return told.path("view").isObject() && !told.has("obligations") && told.path("elements").isObject()
        && told.path("hide").path("http").path("status").isInt();
  }

  private static boolean isYes(JsonNode answer) {
    return answer.path("decision").isBoolean() && answer.path("decision").booleanValue();
  }

  private JsonNode ask(URI where, ObjectNode question) {
    return parsed(answer(HttpRequest.newBuilder(where)
        .header("Authorization", "Basic " + credentials)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(question.toString()))
        .build()));
  }

  /**
   * Three seconds for the whole answer: a time-out of HttpRequest ends with the headers, and a body may stall. What a
   * connection broke is asked once more: the server may have closed it just when HttpClient took it from its pool.
   */
  private byte[] answer(HttpRequest request) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    String reason = "";
    for (int attempt = 1; attempt <= 2; attempt++) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      CompletableFuture<HttpResponse<Void>> exchange =
          HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofByteArrayConsumer(part -> add(body, part)));
      try {
        HttpResponse<Void> answer = exchange.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        String kind = answer.headers().firstValue("Content-Type").orElse("").split(";")[0].trim();
        if (answer.statusCode() == 200 && kind.equalsIgnoreCase("application/json")) return body.toByteArray();
        reason = reason(answer.statusCode(), kind);
        break;
      } catch (ExecutionException broken) {
        reason = reason(broken.getCause());
        if (body.size() > 0) break;
      } catch (Exception problem) {
        exchange.cancel(true);
        reason = reason(problem);
        break;
      }
    }
    throw unavailable(reason);
  }

  private String reason(int status, String kind) {
    return status == 401 ? "401, it does not know the client " + clientId + " by this secret" : status + " as " + kind;
  }

  /** In the words of the JDK where it has any, but those about the protocol repeat what came. */
  private static String reason(Throwable problem) {
    if (problem instanceof TimeoutException) return "no whole answer within " + SECONDS + " s";
    if (problem.getMessage() != null && !(problem instanceof ProtocolException)) return problem.getMessage();
    return Stream.iterate(problem, Objects::nonNull, Throwable::getCause)
        .map(each -> each.getClass().getSimpleName()).collect(Collectors.joining(": "));
  }

  private static void add(ByteArrayOutputStream body, Optional<byte[]> part) {
    if (body.size() > MOST_BYTES) throw new IllegalStateException("the answer is too long");
    part.ifPresent(body::writeBytes);
  }

  private JsonNode parsed(byte[] text) {
    try {
      JsonNode found = JSON.readTree(text);
      if (found.isObject()) return found;
      throw unavailable(found.isMissingNode() ? "the answer is no JSON" : "not an object");
    } catch (IOException problem) {
      throw unavailable("the answer is no JSON");
    }
  }

  /** 503 for the app, and the reason for the log. */
  private Refusal unavailable(String reason) {
    outages.tell(reason);
    return refusal(503, "Retry-After", "5", "transient", "The authorization server does not answer.");
  }

  /** A refusal in the form in which smartauth writes them; `header` may be null. */
  public static Refusal refusal(int status, String header, String value, String code, String text) {
    ObjectNode told = JSON.createObjectNode();
    ObjectNode headers = told.putObject("http").put("status", status).putObject("headers");
    if (header != null) headers.put(header, value);
    ObjectNode outcome = told.putObject("outcome").put("resourceType", "OperationOutcome");
    outcome.putArray("issue").addObject().put("severity", "error").put("code", code).put("diagnostics", text);
    return new Refusal(told);
  }
}
