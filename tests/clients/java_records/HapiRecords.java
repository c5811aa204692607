// A HAPI plain server of the records of the recipes, behind SmartInterceptor: it asks the open server of UPSTREAM.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.ResourceMetadataKeyEnum;
import ca.uhn.fhir.model.primitive.InstantDt;
import ca.uhn.fhir.model.valueset.BundleEntrySearchModeEnum;
import ca.uhn.fhir.rest.annotation.History;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.api.server.IBundleProvider;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.SimpleBundleProvider;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IPrimitiveType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Resource;

public class HapiRecords {
  private static final FhirContext FHIR = FhirContext.forR4();
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Set<String> OF_THE_PAGE = Set.of("_count", "_offset", "_summary", "_format");

  public static void main(String[] arguments) throws Exception {
    Stream<String> types =
        Stream.of("Patient", "Practitioner", "Observation", "Encounter", "Condition");
    Server.serve(types.map(Records::new).toArray(IResourceProvider[]::new));
  }

  public static class Records implements IResourceProvider {
    private final String type;

    Records(String type) {
      this.type = type;
    }

    @Override
    public Class<? extends IBaseResource> getResourceType() {
      return FHIR.getResourceDefinition(type).getImplementingClass();
    }

    @Read(version = true)
    public IBaseResource read(@IdParam IdType id) {
      return ask(id.hasVersionIdPart() ? id.getIdPart() + "/_history/" + id.getVersionIdPart() : id.getIdPart());
    }

    @History
    public IBundleProvider history(@IdParam IdType id) {
      Bundle found = (Bundle) ask(id.getIdPart() + "/_history");
      return new SimpleBundleProvider(found.getEntry().stream().map(each -> {
        ResourceMetadataKeyEnum.UPDATED.put(each.getResource(), new InstantDt(new Date(0)));
        return each.getResource();
      }).toList());
    }

    @Search(allowUnknownParams = true)
    public IBundleProvider search(RequestDetails request) {
      StringJoiner query = new StringJoiner("&");
      request.getParameters().forEach((name, values) -> {
        for (String value : values) if (!OF_THE_PAGE.contains(name)) query.add(name + "=" + encoded(value));
      });
      String[] offset = request.getParameters().getOrDefault("_offset", new String[] {"0"});
      return new Found(this, query.toString(), Integer.parseInt(offset[0]));
    }

    IBaseResource ask(String below) {
      try {
        URI url = URI.create(System.getenv("UPSTREAM") + "/" + type + "/" + below);
        HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() == 404) throw new ResourceNotFoundException(type + "/" + below + " is not known");
        return FHIR.newJsonParser().parseResource(answer.body());
      } catch (IOException | InterruptedException problem) {
        throw new IllegalStateException(problem);
      }
    }
  }

  /** What a search finds, asked for page by page. */
  private record Found(Records records, String query, int offset) implements IBundleProvider {
    @Override
    public List<IBaseResource> getResources(int from, int to) {
      Bundle found = (Bundle) records.ask("_search?" + query + "&_offset=" + (offset + from) + "&_count=" + (to - from));
      return found.getEntry().stream().map(Found::resource).toList();
    }

    private static IBaseResource resource(Bundle.BundleEntryComponent entry) {
      Resource found = entry.getResource();
      boolean isInclude = entry.getSearch().getMode() == Bundle.SearchEntryMode.INCLUDE;
      if (isInclude) ResourceMetadataKeyEnum.ENTRY_SEARCH_MODE.put(found, BundleEntrySearchModeEnum.INCLUDE);
      return found;
    }

    @Override
    public Integer size() {
      return ((Bundle) records.ask("_search?" + query + "&_summary=count")).getTotal();
    }

    @Override
    public Integer preferredPageSize() {
      return null;
    }

    @Override
    public String getUuid() {
      return null;
    }

    @Override
    public IPrimitiveType<Date> getPublished() {
      return null;
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
