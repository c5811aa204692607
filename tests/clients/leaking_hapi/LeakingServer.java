// A HAPI plain server with the interceptor that our recipe once was. HAPI's AuthorizationInterceptor judges the records
// that go out, and a count has none: numbers of other patients' records come out. For the tests of the probe only.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.param.HasAndListParam;
import ca.uhn.fhir.rest.param.ReferenceAndListParam;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenAndListParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.interceptor.auth.AuthorizationInterceptor;
import ca.uhn.fhir.rest.server.interceptor.auth.IAuthRule;
import ca.uhn.fhir.rest.server.interceptor.auth.RuleBuilder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;

public class LeakingServer {
  private static final Map<String, Patient> PATIENTS = new TreeMap<>();
  private static final Map<String, Observation> OBSERVATIONS = new TreeMap<>();

  public static void main(String[] arguments) throws Exception {
    patient("amy", "Shaw", "4548-4", "29463-7");
    patient("ben", "Whitlock", "718-7");
    URI base = URI.create(System.getenv("FHIR_BASE"));
    RestfulServer fhir = new RestfulServer(FhirContext.forR4());
    fhir.setResourceProviders(new Patients(), new Observations());
    fhir.setServerAddressStrategy(new HardcodedServerAddressStrategy(base.toString()));
    fhir.registerInterceptor(new Interceptor());
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(fhir), base.getPath() + "/*");
    var jetty = new org.eclipse.jetty.server.Server(new InetSocketAddress("127.0.0.1", base.getPort()));
    jetty.setHandler(context);
    jetty.start();
    jetty.join();
  }

  private static void patient(String id, String family, String... codes) {
    Patient patient = new Patient();
    patient.setId(new IdType("Patient", id, "1"));
    patient.addName().setFamily(family);
    PATIENTS.put(id, patient);
    for (String code : codes) {
      Observation observation = new Observation();
      observation.setId(new IdType("Observation", id + "-" + code, "1"));
      observation.setCode(new CodeableConcept(new Coding("http://loinc.org", code, null)));
      observation.setSubject(new Reference("Patient/" + id));
      OBSERVATIONS.put(id + "-" + code, observation);
    }
  }

  public static class Patients implements IResourceProvider {
    @Override
    public Class<Patient> getResourceType() {
      return Patient.class;
    }

    @Read
    public Patient read(@IdParam IdType id) {
      return PATIENTS.get(id.getIdPart());
    }

    @Search
    public List<Patient> search(
        @OptionalParam(name = "_id") TokenAndListParam ids, @OptionalParam(name = "_has") HasAndListParam has) {
      Predicate<Patient> named = patient -> ids == null || ids.getValuesAsQueryTokens().stream().allMatch(
          or -> or.getValuesAsQueryTokens().stream().anyMatch(id -> id.getValue().equals(patient.getIdElement().getIdPart())));
      Predicate<Patient> owning = patient -> has == null || has.getValuesAsQueryTokens().stream().allMatch(
          or -> or.getValuesAsQueryTokens().stream().anyMatch(each -> OBSERVATIONS.values().stream()
              .filter(observation -> observation.getSubject().getReference().equals("Patient/" + patient.getIdElement().getIdPart()))
              .anyMatch(observation -> observation.getCode().getCodingFirstRep().getCode().equals(each.getParameterValue()))));
      return PATIENTS.values().stream().filter(named.and(owning)).toList();
    }
  }

  public static class Observations implements IResourceProvider {
    @Override
    public Class<Observation> getResourceType() {
      return Observation.class;
    }

    @Read
    public Observation read(@IdParam IdType id) {
      return OBSERVATIONS.get(id.getIdPart());
    }

    @Search
    public List<Observation> search(
        @OptionalParam(name = "patient", chainWhitelist = {"", "name", "family"}) ReferenceAndListParam patient,
        @OptionalParam(name = "subject", chainWhitelist = {"", "name", "family"}) ReferenceAndListParam subject,
        @OptionalParam(name = "code") TokenParam code) {
      return OBSERVATIONS.values().stream().filter(each -> is(each, patient) && is(each, subject)
          && (code == null || code.getValue().equals(each.getCode().getCodingFirstRep().getCode()))).toList();
    }

    private static boolean is(Observation observation, ReferenceAndListParam wanted) {
      return wanted == null || wanted.getValuesAsQueryTokens().stream()
          .allMatch(or -> or.getValuesAsQueryTokens().stream().anyMatch(each -> is(observation, each)));
    }

    private static boolean is(Observation observation, ReferenceParam wanted) {
      String owner = observation.getSubject().getReferenceElement().getIdPart();
      if (wanted.getChain() == null) return owner.equals(wanted.getIdPart());
      return PATIENTS.get(owner).getNameFirstRep().getFamily().equals(wanted.getValue());
    }
  }

  public static class Interceptor extends AuthorizationInterceptor {
    private static final Pattern BEARER = Pattern.compile("(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)");
    private static final Pattern SCOPE = Pattern.compile("patient/(\\*|[A-Za-z]+)\\.(c?r?u?d?s?|read|write|\\*)");
    private static final Map<String, String> WORDS = Map.of("read", "rs", "write", "cud", "*", "cruds");

    @Override
    public List<IAuthRule> buildRuleList(RequestDetails request) {
      RuleBuilder rules = new RuleBuilder();
      if ("metadata".equals(request.getRequestPath())) return rules.allow().metadata().build();
      JsonNode claims = claims(request.getHeaders("Authorization"));
      IdType patient = new IdType("Patient", claims.path("patient").asText("none"));
      for (String scope : claims.path("scope").asText("").split(" ")) allow(rules, scope, patient);
      return rules.denyAll().build();
    }

    private static void allow(RuleBuilder rules, String scope, IdType patient) {
      Matcher held = SCOPE.matcher(scope);
      if (!held.matches()) return;
      String letters = WORDS.getOrDefault(held.group(2), held.group(2));
      if (!letters.contains("r") || !letters.contains("s")) return; // HAPI has one rule for both
      if (held.group(1).equals("*")) rules.allow().read().allResources().inCompartment("Patient", patient);
      else rules.allow().read().resourcesOfType(held.group(1)).inCompartment("Patient", patient);
    }

    /** The token is the claims themselves: this is about what the rules let through. */
    private JsonNode claims(List<String> authorization) {
      Matcher bearer = BEARER.matcher(String.join(", ", authorization == null ? List.of() : authorization));
      if (!bearer.matches()) throw unauthorized("Bearer");
      try {
        return new ObjectMapper().readTree(Base64.getUrlDecoder().decode(bearer.group(1)));
      } catch (IOException | IllegalArgumentException problem) {
        throw unauthorized("Bearer error=\"invalid_token\"");
      }
    }

    private static AuthenticationException unauthorized(String challenge) {
      AuthenticationException refusal = new AuthenticationException("This needs an access token for this server.");
      refusal.addResponseHeader("WWW-Authenticate", challenge);
      return refusal;
    }
  }
}
