// A Spring application of the records of the recipes, behind SmartFilter: it asks the open server of UPSTREAM.
import dev.smartauth.enforcement.spring.SmartFilter;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.example.Server;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.UriComponentsBuilder;

@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class SpringRecords {
  public static void main(String[] arguments) {
    Server.serve(SpringRecords.class);
  }

  @Bean
  public SmartFilter filter() {
    return new SmartFilter();
  }

  @RestController
  public static class Records {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String PATH = URI.create(System.getenv("FHIR_BASE")).getPath();

    @RequestMapping("${fhir.path}/**")
    public ResponseEntity<byte[]> answer(
        HttpServletRequest request, HttpServletResponse response,
        @RequestParam MultiValueMap<String, String> parameters) throws IOException, InterruptedException {
      String below = request.getRequestURI().substring(PATH.length());
      UriComponentsBuilder url = UriComponentsBuilder.fromUriString(System.getenv("UPSTREAM") + below);
      parameters.forEach((name, values) -> values.forEach(value -> url.queryParam(encoded(name), encoded(value))));
      HttpResponse<byte[]> answer = HTTP.send(
          HttpRequest.newBuilder(url.build(true).toUri()).build(), HttpResponse.BodyHandlers.ofByteArray());
      // what a careless application tells of a record beside it
      if (answer.statusCode() == 200) response.addCookie(new Cookie("found", "yes"));
      response.setLocale(answer.statusCode() == 200 ? Locale.ENGLISH : Locale.FRENCH);
      return ResponseEntity.status(answer.statusCode())
          .contentType(MediaType.valueOf("application/fhir+json")).body(answer.body());
    }

    private static String encoded(String text) {
      return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
  }
}
