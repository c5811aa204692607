// Asks smartauth about every token, and lets a request through only as far as a patient/ scope of that token goes.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.RuntimeResourceDefinition;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.RequestTypeEnum;
import ca.uhn.fhir.rest.api.RestOperationTypeEnum;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.ForbiddenOperationException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import ca.uhn.fhir.rest.server.interceptor.auth.AuthorizationFlagsEnum;
import ca.uhn.fhir.rest.server.interceptor.auth.AuthorizationInterceptor;
import ca.uhn.fhir.rest.server.interceptor.auth.IAuthRule;
import ca.uhn.fhir.rest.server.interceptor.auth.RuleBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;

public class SmartInterceptor extends AuthorizationInterceptor {
  private static final String INVALID = "Bearer error=\"invalid_token\"";
  private static final Pattern BEARER = Pattern.compile("(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)");
  private static final Pattern SCOPE = Pattern.compile("patient/(\\*|[A-Za-z]+)\\.(c?r?u?d?s?|read|write|\\*)");
  private static final Map<String, String> WORDS = Map.of("read", "rs", "write", "cud", "*", "cruds");
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9.-]{1,64}");
  private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
      .followRedirects(HttpClient.Redirect.NEVER).build();

  private final ObjectMapper json = new ObjectMapper()
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
  private final String base = System.getenv("FHIR_BASE");
  private final URI introspect = URI.create(System.getenv("INTROSPECT"));
  private final URI configuration = introspect.resolve("smart-configuration?aud=" + encoded(base));
  private final String me = Base64.getEncoder().encodeToString(
      (System.getenv("CLIENT_ID") + ":" + System.getenv("CLIENT_SECRET")).getBytes(StandardCharsets.UTF_8));
  private volatile Document document = new Document("", System.nanoTime());

  private record Document(String text, long staleAt) {}

  /** What a request may see: records of these types ("*" is every type) in the compartment of this patient. */
  private record Reach(Set<String> types, String patient) {}

  public SmartInterceptor() {
    setFlags(AuthorizationFlagsEnum.DO_NOT_PROACTIVELY_BLOCK_COMPARTMENT_READ_ACCESS); // `search` has narrowed it
  }

  /** Runs before HAPI chooses a method, so that the method is chosen for the narrowed search. */
  @Hook(Pointcut.SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED)
  public boolean check(RequestDetails request, HttpServletResponse response) throws IOException {
    // Apps read these two before they have a token (SMART App Launch: Conformance).
    if (isGet(request) && request.getRequestPath().equals("metadata")) return true;
    if (isGet(request) && request.getRequestPath().equals(".well-known/smart-configuration")) {
      byte[] answer = smartConfiguration().getBytes(StandardCharsets.UTF_8);
      response.setContentType("application/json");
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.getOutputStream().write(answer);
      return false;
    }
    JsonNode claims = claims(request.getHeaders("Authorization"));
    request.getUserData().put(Reach.class, reach(request, claims));
    // HAPI answers 304 before it looks at the rules, so a 304 would tell that somebody else's record exists.
    request.setHeaders("If-None-Match", List.of());
    request.setHeaders("If-Modified-Since", List.of());
    return true;
  }

  /** HAPI holds every record that goes out against these rules. */
  @Override
  public List<IAuthRule> buildRuleList(RequestDetails request) {
    RuleBuilder rules = new RuleBuilder();
    Reach reach = (Reach) request.getUserData().get(Reach.class);
    if (reach == null) return rules.allow().metadata().andThen().denyAll().build();
    IdType patient = new IdType("Patient", reach.patient());
    for (String type : reach.types()) {
      if (type.equals("*")) {
        rules.allow().read().allResources().inCompartment("Patient", patient);
      } else {
        rules.allow().read().resourcesOfType(type).inCompartment("Patient", patient);
      }
    }
    return rules.denyAll().build();
  }

  @Override
  protected void handleDeny(RequestDetails request, Verdict verdict) {
    RestOperationTypeEnum operation = request.getRestOperationType();
    boolean isRead = operation == RestOperationTypeEnum.READ || operation == RestOperationTypeEnum.VREAD;
    throw isRead ? unknown() : forbidden();
  }

  /** The rules see the records of a page, not whose search it is: a total, or a page without records, tells of it. */
  @Hook(Pointcut.SERVER_OUTGOING_RESPONSE)
  public void limitPage(RequestDetails request, IBaseResource answer) {
    if (request.getRestOperationType() != RestOperationTypeEnum.GET_PAGE) return;
    if (!(answer instanceof Bundle bundle) || !bundle.hasEntry()) throw unknown();
    bundle.setTotalElement(null);
  }

  /** Deleted, unknown and out of reach are one answer. */
  @Hook(Pointcut.SERVER_PRE_PROCESS_OUTGOING_EXCEPTION)
  public BaseServerResponseException sameAnswer(Throwable problem) {
    boolean isAbsent = problem instanceof ResourceNotFoundException || problem instanceof ResourceGoneException;
    return isAbsent ? unknown() : null;
  }

  // What is open: to read, to search, to turn the page of a search ---------------------------------------------------

  private static final Set<String> FORM = Set.of("_format", "_pretty", "_summary", "_elements");
  private static final Set<String> SEARCH =
      Set.of("_id", "_lastUpdated", "_tag", "_count", "_offset", "_sort", "_total");
  private static final Set<String> PAGE = Set.of("_getpages", "_getpagesoffset", "_pageId", "_count", "_bundletype");
  // A parameter about the record itself. A chain, _has, _include, _filter look into records that no patient narrows.
  private static final Pattern OWN = Pattern.compile("[a-z][A-Za-z0-9-]*(:(exact|contains|missing|not|text|Patient))?");

  private static Reach reach(RequestDetails request, JsonNode claims) {
    String type = request.getResourceName();
    String operation = request.getOperation();
    boolean isPost = request.getRequestType() == RequestTypeEnum.POST;
    if (request.getCompartmentName() != null || request.getSecondaryOperation() != null) throw forbidden();
    if (request.getId() != null) {
      if (operation != null || !isGet(request)) throw forbidden();
      return read(request, claims, type);
    }
    boolean isSearch = isPost ? "_search".equals(operation) : isGet(request) && operation == null;
    if (!isSearch) throw forbidden();
    return type == null ? page(request, claims) : search(request, claims, type);
  }

  private static Reach read(RequestDetails request, JsonNode claims, String type) {
    Reach reach = reach(claims, type, "r");
    if (!FORM.containsAll(request.getParameters().keySet())) throw forbidden();
    if (type.equals("Patient") && !reach.patient().equals(request.getId().getIdPart())) throw unknown();
    return reach;
  }

  private static Reach page(RequestDetails request, JsonNode claims) {
    Set<String> names = request.getParameters().keySet();
    boolean isPage = names.contains("_getpages") && names.stream().allMatch(n -> PAGE.contains(n) || FORM.contains(n));
    if (!isPage) throw forbidden();
    return new Reach(types(claims, "s"), patient(claims));
  }

  private static Reach search(RequestDetails request, JsonNode claims, String type) {
    Reach reach = reach(claims, type, "s");
    String narrow = narrowingParameter(request.getFhirContext(), type);
    Map<String, String[]> parameters = new HashMap<>();
    request.getParameters().forEach((name, values) -> {
      if (name.equals(narrow) || name.equals(narrow + ":Patient")) {
        if (!Stream.of(values).allMatch(value -> names(value, reach.patient()))) throw forbidden();
      } else if (FORM.contains(name) || SEARCH.contains(name) || OWN.matcher(name).matches()) {
        parameters.put(name, values);
      } else {
        throw forbidden();
      }
    });
    String[] sort = parameters.getOrDefault("_sort", new String[0]);
    if (Stream.of(sort).anyMatch(value -> value.contains("."))) throw forbidden();
    parameters.put(narrow, new String[] {narrow.equals("_id") ? reach.patient() : "Patient/" + reach.patient()});
    request.setParameters(parameters);
    return reach;
  }

  /** The parameter that limits a search of this type to one patient. Types that have none cannot be searched. */
  private static String narrowingParameter(FhirContext fhir, String type) {
    if (type.equals("Patient")) return "_id";
    if (!fhir.getResourceTypes().contains(type)) throw unknown();
    RuntimeResourceDefinition definition = fhir.getResourceDefinition(type);
    List<String> members = definition.getSearchParamsForCompartmentName("Patient").stream()
        .map(parameter -> parameter.getName()).toList();
    if (members.isEmpty()) throw forbidden();
    if (definition.getSearchParam("patient") != null) return "patient";
    if (members.size() > 1 && !members.contains("subject")) throw forbidden();
    return members.contains("subject") ? "subject" : members.get(0);
  }

  /** Whether a value, or one of several with commas between them, means that patient. */
  private static boolean names(String value, String patient) {
    return Stream.of(value.split(",")).anyMatch(each -> each.equals(patient) || each.equals("Patient/" + patient));
  }

  private static boolean isGet(RequestDetails request) {
    return request.getRequestType() == RequestTypeEnum.GET || request.getRequestType() == RequestTypeEnum.HEAD;
  }

  // The token --------------------------------------------------------------------------------------------------------

  private static Reach reach(JsonNode claims, String type, String letter) {
    Set<String> types = types(claims, letter);
    if (!types.contains(type) && !types.contains("*")) throw forbidden();
    return new Reach(Set.of(type), patient(claims));
  }

  /** The types that a scope opens for this letter (SMART App Launch: Scopes; r is read, s is search). */
  private static Set<String> types(JsonNode claims, String letter) {
    Set<String> types = new HashSet<>();
    for (String scope : text(claims, "scope").split(" ")) {
      Matcher held = SCOPE.matcher(scope);
      if (held.matches() && WORDS.getOrDefault(held.group(2), held.group(2)).contains(letter)) types.add(held.group(1));
    }
    return types;
  }

  private static String patient(JsonNode claims) {
    String patient = text(claims, "patient");
    if (!ID.matcher(patient).matches()) throw forbidden();
    return patient;
  }

  /** A claim that is a text; nothing for one of another type, which asText would turn into a text. */
  private static String text(JsonNode claims, String name) {
    String value = claims.path(name).textValue();
    return value == null ? "" : value;
  }

  private JsonNode claims(List<String> authorization) {
    String shown = String.join(", ", authorization);
    Matcher bearer = BEARER.matcher(shown);
    if (!bearer.matches()) throw unauthorized(shown.regionMatches(true, 0, "Bearer ", 0, 7) ? INVALID : "Bearer");
    JsonNode claims = parsed(answer(HttpRequest.newBuilder(introspect)
        .header("Authorization", "Basic " + me)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(HttpRequest.BodyPublishers.ofString("token=" + encoded(bearer.group(1))))
        .build()));
    if (!isForUs(claims)) throw unauthorized(INVALID);
    return claims;
  }

  /** Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key. */
  private boolean isForUs(JsonNode claims) {
    JsonNode aud = claims.path("aud");
    Iterable<JsonNode> bases = aud.isArray() ? aud : List.of(aud);
    boolean isOurs = false;
    for (JsonNode each : bases) isOurs |= base.equals(each.textValue());
    return claims.path("active").booleanValue() && !claims.has("cnf") && isOurs;
  }

  // What smartauth says ----------------------------------------------------------------------------------------------

  /** The document of this base, read again after five minutes. */
  private String smartConfiguration() {
    Document known = document;
    if (System.nanoTime() - known.staleAt() < 0) return known.text();
    String text = answer(HttpRequest.newBuilder(configuration).build());
    parsed(text);
    document = new Document(text, System.nanoTime() + TimeUnit.MINUTES.toNanos(5));
    return text;
  }

  /**
   * Three seconds for the whole answer: a time-out of HttpRequest ends with the headers, and a body may stall. What a
   * connection broke is asked once more: the server may have closed it just when HttpClient took it from its pool.
   */
  private static String answer(HttpRequest request) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
    for (int attempt = 1; attempt <= 2; attempt++) {
      CompletableFuture<HttpResponse<String>> exchange = HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString());
      try {
        HttpResponse<String> answer = exchange.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (answer.statusCode() == 200) return answer.body();
        break;
      } catch (ExecutionException broken) {
        continue;
      } catch (Exception problem) {
        exchange.cancel(true);
        break;
      }
    }
    throw unavailable();
  }

  private JsonNode parsed(String text) {
    try {
      JsonNode found = json.readTree(text);
      if (found.isObject()) return found;
    } catch (IOException problem) {
      // as if there had been no answer
    }
    throw unavailable();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  // Refusals (RFC 6750, section 3) -----------------------------------------------------------------------------------

  private static BaseServerResponseException unauthorized(String challenge) {
    String message = "This needs an access token for this server.";
    return with("WWW-Authenticate", challenge, new AuthenticationException(message));
  }

  private static BaseServerResponseException forbidden() {
    String challenge = "Bearer error=\"insufficient_scope\"";
    return with("WWW-Authenticate", challenge, new ForbiddenOperationException("The token does not allow this."));
  }

  private static BaseServerResponseException unavailable() {
    String message = "The authorization server does not answer.";
    return with("Retry-After", "5", new UnclassifiedServerFailureException(503, message));
  }

  private static BaseServerResponseException unknown() {
    return new ResourceNotFoundException("There is no such record.");
  }

  private static BaseServerResponseException with(String header, String value, BaseServerResponseException refusal) {
    refusal.addResponseHeader(header, value);
    return refusal;
  }
}
