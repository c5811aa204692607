// Asks smartauth about every token and turns its scopes into HAPI's rules. Not run by our tests.
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import ca.uhn.fhir.rest.server.interceptor.auth.AuthorizationInterceptor;
import ca.uhn.fhir.rest.server.interceptor.auth.IAuthRule;
import ca.uhn.fhir.rest.server.interceptor.auth.RuleBuilder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hl7.fhir.r4.model.IdType;

public class SmartInterceptor extends AuthorizationInterceptor {
  private static final Pattern BEARER = Pattern.compile("(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)");
  private static final Pattern SCOPE = Pattern.compile("patient/(\\*|[A-Za-z]+)\\.(c?r?u?d?s?|read|write|\\*)");
  private static final Map<String, String> WORDS = Map.of("read", "rs", "write", "cud", "*", "cruds");
  private static final HttpClient HTTP = HttpClient.newBuilder()
      .connectTimeout(Duration.ofSeconds(3)).followRedirects(HttpClient.Redirect.NEVER).build();
  private final ObjectMapper json = new ObjectMapper();
  private final String base = System.getenv("FHIR_BASE");
  private final String introspect = System.getenv("INTROSPECT");
  private final String me = Base64.getEncoder().encodeToString(
      (System.getenv("CLIENT_ID") + ":" + System.getenv("CLIENT_SECRET")).getBytes(StandardCharsets.UTF_8));

  @Override
  public List<IAuthRule> buildRuleList(RequestDetails request) {
    JsonNode claims = claims(request.getHeaders("Authorization"));
    RuleBuilder rules = new RuleBuilder();
    String patient = claims.path("patient").asText("");
    if (!patient.isEmpty()) {
      for (String scope : claims.path("scope").asText("").split(" ")) {
        allow(rules, scope, new IdType("Patient", patient));
      }
    }
    return rules.allow().metadata().andThen().denyAll().build();
  }

  private void allow(RuleBuilder rules, String scope, IdType patient) {
    Matcher held = SCOPE.matcher(scope);
    if (!held.matches()) return;
    String letters = WORDS.getOrDefault(held.group(2), held.group(2));
    // HAPI has one rule for read and search, so both letters have to be there
    if (!letters.contains("r") || !letters.contains("s")) return;
    if (held.group(1).equals("*")) {
      rules.allow().read().allResources().inCompartment("Patient", patient);
    } else {
      rules.allow().read().resourcesOfType(held.group(1)).inCompartment("Patient", patient);
    }
  }

  private JsonNode claims(List<String> authorization) {
    Matcher bearer = BEARER.matcher(String.join(", ", authorization == null ? List.of() : authorization));
    if (!bearer.matches()) throw unauthorized("Bearer");
    JsonNode claims;
    try {
      HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder(URI.create(introspect))
          .timeout(Duration.ofSeconds(3))
          .header("Authorization", "Basic " + me)
          .header("Content-Type", "application/x-www-form-urlencoded")
          .POST(HttpRequest.BodyPublishers.ofString(
              "token=" + URLEncoder.encode(bearer.group(1), StandardCharsets.UTF_8)))
          .build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) throw new IllegalStateException("introspection: " + answer.statusCode());
      claims = json.readTree(answer.body());
    } catch (Exception error) {
      throw new UnclassifiedServerFailureException(503, "The authorization server does not answer.");
    }
    JsonNode active = claims.path("active");
    if (!active.isBoolean() || !active.booleanValue() || !base.equals(claims.path("aud").asText())) {
      throw unauthorized("Bearer error=\"invalid_token\"");
    }
    return claims;
  }

  private static BaseServerResponseException unauthorized(String challenge) {
    BaseServerResponseException refusal = new AuthenticationException("This needs an access token for this server.");
    refusal.addResponseHeader("WWW-Authenticate", challenge);
    return refusal;
  }
}
