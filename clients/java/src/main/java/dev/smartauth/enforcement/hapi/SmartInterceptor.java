// Lets smartauth decide about every request: what may be done, which records a search finds, which of them go out.
package dev.smartauth.enforcement.hapi;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.RuntimeResourceDefinition;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.RequestTypeEnum;
import ca.uhn.fhir.rest.api.RestOperationTypeEnum;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.smartauth.enforcement.Smartauth;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseOperationOutcome;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;

@Interceptor
public class SmartInterceptor {
  private static final Set<String> PAGE =
      Set.of("_getpages", "_getpagesoffset", "_pageId", "_count", "_bundletype", "_format", "_pretty");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Smartauth smartauth = new Smartauth();

  /** A request that smartauth has let in: with what token, and what may be seen, null for a page. */
  private record Admitted(String token, JsonNode decision) {}

  // Enforcement ------------------------------------------------------------------------------------------------------

  /** Runs before HAPI chooses a method, so that the method is chosen for the narrowed search. */
  @Hook(Pointcut.SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED)
  public boolean ask(RequestDetails request, HttpServletResponse response) throws IOException {
    if (isGet(request) && request.getRequestPath().equals("metadata")) return true;
    if (isGet(request) && request.getRequestPath().equals(".well-known/smart-configuration")) return tell(response);
    String token = Smartauth.token(request.getHeaders("Authorization"));
    JsonNode decision = isPage(request) ? null : smartauth.decide(token, method(request), url(request));
    if (!isGet(request) && !isSearchByPost(request)) throw forbidden("Writes are not open here.");
    if (decision != null && decision.has("view")) narrow(request, decision);
    request.getUserData().put(Admitted.class, new Admitted(token, decision));
    // HAPI answers 304 before it looks what may be seen, so a 304 would tell that somebody else's record exists.
    request.setHeaders("If-Match", List.of());
    request.setHeaders("If-None-Match", List.of());
    request.setHeaders("If-Modified-Since", List.of());
    return true;
  }

  /** Adds what keeps a search within the view; parameters that come again are a conjunction (FHIR search). */
  private void narrow(RequestDetails request, JsonNode decision) {
    Map<String, String[]> parameters = new HashMap<>(request.getParameters());
    if (!isSearch(request)) parameters.remove("_count"); // a link to another page would tell of versions out of reach
    request.setParameters(parameters);
    if (!isSearch(request)) return;
    Smartauth.Narrowing narrowing = Smartauth.narrowing(decision, request.getResourceName());
    if (narrowing.patients() != null) {
      String name = narrowingParameter(request.getFhirContext(), request.getResourceName());
      String prefix = name.equals("_id") ? "" : "Patient/";
      add(parameters, name, narrowing.patients().stream().map(id -> prefix + id).collect(Collectors.joining(",")));
    }
    narrowing.where().forEach(each -> add(parameters, each.name(), each.values()));
  }

  /** Of what goes out, smartauth is asked about each record by its content. */
  @Hook(Pointcut.SERVER_OUTGOING_RESPONSE)
  public void filter(RequestDetails request, IBaseResource answer) throws JsonProcessingException {
    Admitted admitted = (Admitted) request.getUserData().get(Admitted.class);
    if (admitted == null) return;
    boolean isPage = admitted.decision() == null;
    boolean isSearch = request.getRestOperationType() == RestOperationTypeEnum.SEARCH_TYPE;
    List<IBaseResource> records = records(request, answer);
    Set<IBaseResource> visible = visible(request, admitted, records);
    boolean isWhole = visible.size() == records.size();
    if (isPage ? records.isEmpty() || !isWhole : visible.isEmpty() && !isSearch) throw unknown(request);
    if (!findsMany(request, answer)) return;
    Bundle bundle = (Bundle) answer;
    bundle.getEntry().removeIf(entry -> !visible.contains(entry.getResource()));
    if (isSearch && isWhole && isCounted(request, admitted, bundle)) return;
    bundle.setTotalElement(null);
    if (!isSearch && !isWhole) bundle.setLink(null);
  }

  /**
   * Whether the total counts what may be seen: HAPI's providers heed the parameter of the patient, and may ignore
   * another, such as the one of a granular scope.
   */
  private static boolean isCounted(RequestDetails request, Admitted admitted, Bundle bundle) {
    if (!admitted.decision().has("view")) return true;
    boolean isOfPatients = Smartauth.narrowing(admitted.decision(), request.getResourceName()).where().isEmpty();
    return isOfPatients || bundle.getTotal() == bundle.getEntry().stream().filter(SmartInterceptor::isMatch).count();
  }

  private static boolean isMatch(Bundle.BundleEntryComponent entry) {
    return entry.getSearch().getMode() != Bundle.SearchEntryMode.INCLUDE;
  }

  /** Deleted, unknown and out of reach are one answer. */
  @Hook(Pointcut.SERVER_PRE_PROCESS_OUTGOING_EXCEPTION)
  public BaseServerResponseException refuse(RequestDetails request, Throwable problem) {
    if (problem instanceof Smartauth.Refusal refusal) return exception(request, refusal);
    boolean isAbsent = problem instanceof ResourceNotFoundException || problem instanceof ResourceGoneException;
    if (!isAbsent) return null;
    try {
      askAsIfThere(request);
      return exception(request, unknown(request));
    } catch (Smartauth.Refusal refusal) {
      return exception(request, refusal);
    }
  }

  /** Asks about a record that is not there as about one that is hidden, which then takes no longer. */
  private void askAsIfThere(RequestDetails request) {
    Admitted admitted = (Admitted) request.getUserData().get(Admitted.class);
    if (admitted == null || admitted.decision() == null || request.getId() == null) return;
    String type = request.getResourceName();
    ObjectNode record = JSON.createObjectNode().put("resourceType", type).put("id", request.getId().getIdPart());
    smartauth.visible(admitted.token(), "read", type, admitted.decision(), List.of(record));
  }

  // The records of an answer -----------------------------------------------------------------------------------------

  /** Whether it is a Bundle of what was found; one that is read by its id is a record that somebody stored. */
  private static boolean findsMany(RequestDetails request, IBaseResource answer) {
    RestOperationTypeEnum operation = request.getRestOperationType();
    boolean isRead = operation == RestOperationTypeEnum.READ || operation == RestOperationTypeEnum.VREAD;
    return answer instanceof Bundle && !isRead;
  }

  private static List<IBaseResource> records(RequestDetails request, IBaseResource answer) {
    if (!findsMany(request, answer)) return List.of(answer);
    return ((Bundle) answer).getEntry().stream()
        .map(entry -> (IBaseResource) entry.getResource()).filter(Objects::nonNull).toList();
  }

  /** Those that the client may see. Of a page nobody has asked yet what its types allow. */
  private Set<IBaseResource> visible(RequestDetails request, Admitted admitted, List<IBaseResource> records)
      throws JsonProcessingException {
    List<ObjectNode> contents = new ArrayList<>();
    for (IBaseResource each : records) {
      contents.add((ObjectNode) JSON.readTree(request.getFhirContext().newJsonParser().encodeResourceToString(each)));
    }
    Set<IBaseResource> found = Collections.newSetFromMap(new IdentityHashMap<>());
    if (admitted.decision() == null) {
      Map<String, List<Integer>> ofType = new HashMap<>();
      for (int i = 0; i < contents.size(); i++) {
        ofType.computeIfAbsent(contents.get(i).path("resourceType").asText(), any -> new ArrayList<>()).add(i);
      }
      ofType.forEach((type, places) -> {
        JsonNode decision = smartauth.decide(admitted.token(), "GET", type);
        List<ObjectNode> some = places.stream().map(contents::get).toList();
        List<Boolean> answers = smartauth.visible(admitted.token(), "search-type", type, decision, some);
        for (int i = 0; i < some.size(); i++) if (answers.get(i)) found.add(records.get(places.get(i)));
      });
      return found;
    }
    String interaction = request.getRestOperationType().getCode();
    List<Boolean> answers = smartauth.visible(
        admitted.token(), interaction, request.getResourceName(), admitted.decision(), contents);
    for (int i = 0; i < records.size(); i++) if (answers.get(i)) found.add(records.get(i));
    return found;
  }

  // The request ------------------------------------------------------------------------------------------------------

  private static boolean isGet(RequestDetails request) {
    return request.getRequestType() == RequestTypeEnum.GET || request.getRequestType() == RequestTypeEnum.HEAD;
  }

  private static boolean isSearchByPost(RequestDetails request) {
    return request.getRequestType() == RequestTypeEnum.POST && "_search".equals(request.getOperation());
  }

  private static boolean isSearch(RequestDetails request) {
    return isSearchByPost(request) || (request.getId() == null && request.getOperation() == null);
  }

  private static boolean isPage(RequestDetails request) {
    Set<String> names = request.getParameters().keySet();
    return isGet(request) && request.getRequestPath().isEmpty() && names.contains("_getpages") && PAGE.containsAll(names);
  }

  private static String method(RequestDetails request) {
    return isSearchByPost(request) ? "GET" : request.getRequestType().name();
  }

  /** The URL below the base, with all that HAPI has read as parameters, also from the form of a search by POST. */
  private static String url(RequestDetails request) {
    StringJoiner query = new StringJoiner("&", "?", "").setEmptyValue("");
    request.getParameters().forEach((name, values) -> {
      for (String value : values) query.add(encoded(name) + "=" + encoded(value));
    });
    String path = request.getRequestPath();
    return (isSearchByPost(request) ? path.replaceFirst("/_search$", "") : path) + query;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  // Narrowing --------------------------------------------------------------------------------------------------------

  private static void add(Map<String, String[]> parameters, String name, String value) {
    String[] known = parameters.getOrDefault(name, new String[0]);
    parameters.put(name, Stream.concat(Stream.of(known), Stream.of(value)).toArray(String[]::new));
  }

  /** The parameter that limits a search of this type to one patient. Types that have none cannot be searched. */
  private static String narrowingParameter(FhirContext fhir, String type) {
    if (type.equals("Patient")) return "_id";
    RuntimeResourceDefinition definition = fhir.getResourceDefinition(type);
    if (definition.getSearchParam("patient") != null) return "patient";
    List<String> members = definition.getSearchParamsForCompartmentName("Patient").stream()
        .map(parameter -> parameter.getName()).toList();
    if (members.contains("subject")) return "subject";
    if (members.size() == 1) return members.get(0);
    throw forbidden("No search parameter says whose record that is.");
  }

  // Answers ----------------------------------------------------------------------------------------------------------

  private boolean tell(HttpServletResponse response) throws IOException {
    byte[] document = smartauth.smartConfiguration().getBytes(StandardCharsets.UTF_8);
    response.setContentType("application/json");
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.getOutputStream().write(document);
    return false;
  }

  private static Smartauth.Refusal forbidden(String text) {
    return Smartauth.refusal(403, null, null, "forbidden", text);
  }

  private static Smartauth.Refusal unknown(RequestDetails request) {
    Admitted admitted = (Admitted) request.getUserData().get(Admitted.class);
    boolean knows = admitted != null && admitted.decision() != null && admitted.decision().has("hide");
    if (knows) return new Smartauth.Refusal(admitted.decision().path("hide"));
    return Smartauth.refusal(404, null, null, "not-found", "There is nothing here for you.");
  }

  private static BaseServerResponseException exception(RequestDetails request, Smartauth.Refusal refusal) {
    IBaseResource outcome = request.getFhirContext().newJsonParser().parseResource(refusal.outcome.toString());
    BaseServerResponseException exception = new UnclassifiedServerFailureException(refusal.status, "Refused.");
    exception.setOperationOutcome((IBaseOperationOutcome) outcome);
    refusal.headers.fields().forEachRemaining(each -> exception.addResponseHeader(each.getKey(), each.getValue().asText()));
    return exception;
  }
}
