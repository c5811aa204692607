// A request as the application reads it, kept within what its token may see.
package dev.smartauth.enforcement.spring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.smartauth.enforcement.Smartauth;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Collectors;

class NarrowedRequest extends HttpServletRequestWrapper {
  // An answer must come whole, and in JSON, to be checked; whether it has changed tells of records out of reach.
  private static final Set<String> HEADERS = Set.of("if-match", "if-none-match", "if-modified-since",
      "if-unmodified-since", "range", "accept-encoding", "x-http-method-override");
  private static final Set<String> FORM = Set.of("_elements", "_summary", "_format");

  private final String path;
  private final Map<String, String[]> parameters;
  private final boolean isCount;

  /** `path` is that below the base. */
  NarrowedRequest(HttpServletRequest request, String path) {
    super(request);
    this.path = path.endsWith("/") ? path.substring(0, path.length() - 1) : path; // the same search to some controllers
    this.parameters = new LinkedHashMap<>(request.getParameterMap()); // also those of the form of a search by POST
    this.isCount = has("_summary", "count") || has("_count", "0");
  }

  private boolean has(String name, String value) {
    return List.of(parameters.getOrDefault(name, new String[0])).contains(value);
  }

  String type() {
    return path.split("/")[0];
  }

  String interaction() {
    if (path.contains("/_history/")) return "vread";
    if (path.endsWith("/_history")) return "history-instance";
    return isSearch() ? "search-type" : "read";
  }

  boolean isSearch() {
    return isSearchByPost() || path.equals(type());
  }

  /** Whether its answer is a Bundle of what was found. */
  boolean findsMany() {
    return isSearch() || path.endsWith("/_history");
  }

  /** What is known of a record that is not there, as one that is hidden would be asked about. */
  ObjectNode asIfThere() {
    String[] parts = path.split("/");
    return JsonNodeFactory.instance.objectNode().put("resourceType", type()).put("id", parts.length > 1 ? parts[1] : "");
  }

  /** Whether the client wants the number of matches and none of them. */
  boolean isCount() {
    return isCount;
  }

  private boolean isSearchByPost() {
    return getMethod().equals("POST") && path.equals(type() + "/_search");
  }

  /** The method with which the same is asked by its URL alone. */
  String asGet() {
    return isSearchByPost() || getMethod().equals("HEAD") ? "GET" : getMethod();
  }

  /** The URL below the base, with all that the application reads as parameters. */
  String url() {
    String query = getQueryString();
    return (isSearchByPost() ? type() : path) + (query.isEmpty() ? "" : "?" + query);
  }

  /** Adds what keeps a search within the view; parameters that come again are a conjunction (FHIR search). */
  void narrow(JsonNode decision) {
    if (!decision.has("view")) return;
    parameters.keySet().removeAll(FORM);
    if (isCount || !isSearch()) parameters.remove("_count"); // what is counted must be seen
    if (!isSearch()) return;
    Smartauth.Narrowing narrowing = Smartauth.narrowing(decision, type());
    if (narrowing.patients() != null) {
      String prefix = type().equals("Patient") ? "" : "Patient/";
      String ids = narrowing.patients().stream().map(id -> prefix + id).collect(Collectors.joining(","));
      add(type().equals("Patient") ? "_id" : "patient", ids);
    }
    narrowing.where().forEach(each -> add(each.name(), each.values()));
  }

  private void add(String name, String values) {
    List<String> all = new ArrayList<>(List.of(parameters.getOrDefault(name, new String[0])));
    all.add(values);
    parameters.put(name, all.toArray(String[]::new));
  }

  // What the application reads ---------------------------------------------------------------------------------------

  @Override
  public String getMethod() {
    return super.getMethod().equals("HEAD") ? "GET" : super.getMethod();
  }

  @Override
  public String getQueryString() {
    StringJoiner query = new StringJoiner("&");
    parameters.forEach((name, values) -> {
      for (String value : values) query.add(encoded(name) + "=" + encoded(value));
    });
    return query.toString();
  }

  @Override
  public Map<String, String[]> getParameterMap() {
    return Collections.unmodifiableMap(parameters);
  }

  @Override
  public Enumeration<String> getParameterNames() {
    return Collections.enumeration(parameters.keySet());
  }

  @Override
  public String[] getParameterValues(String name) {
    return parameters.get(name);
  }

  @Override
  public String getParameter(String name) {
    String[] values = parameters.get(name);
    return values == null ? null : values[0];
  }

  @Override
  public String getHeader(String name) {
    return HEADERS.contains(name.toLowerCase()) ? null : super.getHeader(name);
  }

  @Override
  public Enumeration<String> getHeaders(String name) {
    return HEADERS.contains(name.toLowerCase()) ? Collections.emptyEnumeration() : super.getHeaders(name);
  }

  @Override
  public long getDateHeader(String name) {
    return HEADERS.contains(name.toLowerCase()) ? -1 : super.getDateHeader(name);
  }

  @Override
  public int getIntHeader(String name) {
    return HEADERS.contains(name.toLowerCase()) ? -1 : super.getIntHeader(name);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
