// A HAPI plain server with a few records in memory, to try SmartInterceptor with. Run it as the page says.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.Include;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.IncludeParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.param.ReferenceAndListParam;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenAndListParam;
import ca.uhn.fhir.rest.server.FifoMemoryPagingProvider;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import dev.smartauth.enforcement.hapi.SmartInterceptor;
import java.net.URI;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;

public class Server {
  private static final Map<String, Patient> PATIENTS = new TreeMap<>();
  private static final Map<String, Observation> OBSERVATIONS = new TreeMap<>();

  public static void main(String[] arguments) throws Exception {
    add("amy", "Amy Shaw", 2);
    add("ben", "Ben Whitlock", 1);
    serve(new Patients(), new Observations());
  }

  /** Serves these at FHIR_BASE, protected. */
  public static void serve(IResourceProvider... providers) throws Exception {
    URI base = URI.create(System.getenv("FHIR_BASE"));
    RestfulServer fhir = new RestfulServer(FhirContext.forR4());
    fhir.setResourceProviders(providers);
    fhir.setServerAddressStrategy(new HardcodedServerAddressStrategy(base.toString()));
    fhir.setPagingProvider(new FifoMemoryPagingProvider(100));
    // The part to copy: reads and searches are open as far as smartauth says, writes are not
    fhir.registerInterceptor(new SmartInterceptor());
    // Your server
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(fhir), base.getPath() + "/*");
    String port = System.getenv().getOrDefault("PORT", base.getPort() == -1 ? "80" : "" + base.getPort());
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(32 * 1024); // 8 KiB, the default, may not hold a token
    org.eclipse.jetty.server.Server jetty = new org.eclipse.jetty.server.Server();
    ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(port));
    jetty.addConnector(connector);
    jetty.setHandler(context);
    jetty.start();
    jetty.join();
  }

  private static void add(String id, String name, int observations) {
    Patient patient = new Patient();
    patient.setId(new IdType("Patient", id, "1"));
    patient.addName().setText(name);
    PATIENTS.put(id, patient);
    for (int number = 1; number <= observations; number++) {
      Observation observation = new Observation();
      observation.setId(new IdType("Observation", id + "-" + number, "1"));
      observation.getMeta().setLastUpdated(new Date(0));
      observation.setSubject(new Reference("Patient/" + id));
      OBSERVATIONS.put(id + "-" + number, observation);
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
    public List<Patient> search(@OptionalParam(name = "_id") TokenAndListParam ids) {
      return PATIENTS.values().stream().filter(patient -> ids == null || ids.getValuesAsQueryTokens().stream()
          .allMatch(or -> or.getValuesAsQueryTokens().stream()
              .anyMatch(id -> id.getValue().equals(patient.getIdElement().getIdPart())))).toList();
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
        @OptionalParam(name = "patient", chainWhitelist = {"", "name"}) ReferenceAndListParam patient,
        @OptionalParam(name = "subject", chainWhitelist = {"", "name"}) ReferenceAndListParam subject,
        @IncludeParam(allow = {"Observation:subject"}) Set<Include> includes) {
      return OBSERVATIONS.values().stream().filter(each -> is(each, patient) && is(each, subject)).toList();
    }

    private static boolean is(Observation observation, ReferenceAndListParam wanted) {
      return wanted == null || wanted.getValuesAsQueryTokens().stream()
          .allMatch(or -> or.getValuesAsQueryTokens().stream().anyMatch(each -> is(observation, each)));
    }

    private static boolean is(Observation observation, ReferenceParam wanted) {
      Patient patient = PATIENTS.get(observation.getSubject().getReferenceElement().getIdPart());
      String found = "name".equals(wanted.getChain())
          ? patient.getNameFirstRep().getText() : patient.getIdElement().getIdPart();
      return found.equals(wanted.getChain() == null ? wanted.getIdPart() : wanted.getValue());
    }
  }
}
