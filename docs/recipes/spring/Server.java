// A FHIR server of a few records, open to everybody, to try SmartFilter with. Run it as the page says.
package org.example;

import dev.smartauth.enforcement.spring.SmartFilter;
import java.math.BigDecimal;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.util.MultiValueMap;
import org.springframework.web.server.ResponseStatusException;

@SpringBootApplication
public class Server {
  // The part to copy: reads and searches are open as far as smartauth says, writes are not ---------------------------

  @Bean
  public SmartFilter smartFilter() {
    return new SmartFilter();
  }

  // Your server ------------------------------------------------------------------------------------------------------

  public static void main(String[] arguments) {
    serve(Server.class);
  }

  /** Serves that application at FHIR_BASE. */
  public static void serve(Class<?> served) {
    URI base = URI.create(System.getenv("FHIR_BASE"));
    String port = System.getenv().getOrDefault("PORT", base.getPort() == -1 ? "80" : "" + base.getPort());
    SpringApplication application = new SpringApplication(served);
    application.setDefaultProperties(Map.of(
        "server.address", "127.0.0.1",
        "server.port", port,
        "server.max-http-request-header-size", "32KB", // 8 KB, the default, may not hold a token
        "fhir.path", base.getPath(),
        "spring.main.banner-mode", "off",
        "logging.level.root", "warn"));
    application.run();
  }

  private static final List<Map<String, Object>> RECORDS = List.of(
      Map.of("resourceType", "Patient", "id", "amy", "name", List.of(Map.of("text", "Amy Shaw"))),
      Map.of("resourceType", "Patient", "id", "ben", "name", List.of(Map.of("text", "Ben Whitlock"))),
      observation("amy-1", "amy"), observation("amy-2", "amy"), observation("ben-1", "ben"),
      Map.of("resourceType", "Bundle", "id", "letter", "type", "document",
          "entry", List.of(Map.of("resource", observation("amy-1", "amy")))));

  private static Map<String, Object> observation(String id, String patient) {
    Map<String, Object> code = Map.of("text", "Body weight");
    Map<String, Object> subject = Map.of("reference", "Patient/" + patient);
    Map<String, Object> weight = Map.of("value", new BigDecimal("72.50"), "unit", "kg");
    return Map.of("resourceType", "Observation", "id", id, "status", "final", "code", code, "subject", subject,
        "valueQuantity", weight);
  }

  @RestController
  @RequestMapping("${fhir.path}")
  public static class Records {
    @GetMapping(path = "metadata")
    public Map<String, Object> metadata() {
      return Map.of("resourceType", "CapabilityStatement", "status", "active", "kind", "instance",
          "date", "2026-01-01", "fhirVersion", "4.0.1", "format", List.of("json"));
    }

    @GetMapping("{type}/{id}")
    public ResponseEntity<Map<String, Object>> read(@PathVariable String type, @PathVariable String id) {
      Map<String, Object> found = of(type).filter(each -> each.get("id").equals(id)).findFirst()
          .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND));
      return ResponseEntity.ok().eTag("W/\"1\"").lastModified(1_000_000L).body(found);
    }

    @GetMapping("{type}")
    public Map<String, Object> search(
        @PathVariable String type, @RequestParam MultiValueMap<String, String> parameters) {
      List<String> ids = parameters.getOrDefault("_id", List.of());
      List<String> patients = Stream.of("patient", "subject")
          .flatMap(name -> parameters.getOrDefault(name, List.of()).stream()).toList();
      List<Map<String, Object>> found = of(type)
          .filter(each -> ids.stream().allMatch(value -> names(value).contains(each.get("id"))))
          .filter(each -> patients.stream().allMatch(value -> names(value).contains(patient(each)))).toList();
      List<Map<String, Object>> entries = found.stream().map(each -> Map.<String, Object>of("resource", each)).toList();
      return Map.of("resourceType", "Bundle", "type", "searchset", "total", found.size(), "entry", entries);
    }

    @PostMapping("{type}/_search")
    public Map<String, Object> searchByPost(
        @PathVariable String type, @RequestParam MultiValueMap<String, String> parameters) {
      return search(type, parameters);
    }

    private static Stream<Map<String, Object>> of(String type) {
      return RECORDS.stream().filter(each -> each.get("resourceType").equals(type));
    }

    private static Set<String> names(String value) {
      return Set.copyOf(Arrays.stream(value.split(",")).map(each -> each.replaceFirst("^Patient/", "")).toList());
    }

    private static String patient(Map<String, Object> record) {
      return record.get("subject") instanceof Map<?, ?> subject
          ? subject.get("reference").toString().replaceFirst("^Patient/", "") : (String) record.get("id");
    }
  }
}
