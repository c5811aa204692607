import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Introspects as Java's HttpClient does by default, which offers h2c on plain http.
 * Usage: java Introspect.java ISSUER TOKEN TIMES. Prints one line a way: its name, the right answers, the wrong ones.
 */
public class Introspect {
    private final HttpRequest request;
    private final int times;
    private int right;
    private final List<String> wrong = new ArrayList<>();

    private Introspect(HttpRequest request, int times) {
        this.request = request;
        this.times = times;
    }

    public static void main(String[] arguments) throws Exception {
        int times = Integer.parseInt(arguments[2]);
        for (boolean chunks : new boolean[] {false, true}) {
            HttpRequest request = introspection(arguments[0], arguments[1], chunks);
            String kind = chunks ? "chunks" : "length";
            new Introspect(request, times).kept(kind);
            new Introspect(request, times).eachOnItsOwn(kind);
            new Introspect(request, times).sideBySide(kind);
        }
        System.exit(0);
    }

    private static HttpRequest introspection(String issuer, String token, boolean chunks) {
        byte[] form = ("token=" + token).getBytes();
        String secret = "demo-resource-server:demo-resource-server-secret";
        return HttpRequest.newBuilder(URI.create(issuer + "/o/introspect"))
            .timeout(Duration.ofSeconds(20))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(secret.getBytes()))
            .POST(chunks ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(form))
                : BodyPublishers.ofByteArray(form))
            .build();
    }

    private void kept(String kind) {
        HttpClient client = HttpClient.newHttpClient();
        for (int number = 0; number < times; number++) {
            ask(client);
        }
        report("kept " + kind);
    }

    private void eachOnItsOwn(String kind) {
        for (int number = 0; number < times; number++) {
            ask(HttpClient.newHttpClient());
        }
        report("own " + kind);
    }

    private void sideBySide(String kind) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int number = 0; number < times; number++) {
            all.add(client.sendAsync(request, BodyHandlers.ofString()).handle((answer, error) -> {
                note(answer, error);
                return null;
            }));
        }
        for (CompletableFuture<?> each : all) {
            each.get();
        }
        report("parallel " + kind);
    }

    private void ask(HttpClient client) {
        try {
            note(client.send(request, BodyHandlers.ofString()), null);
        } catch (Exception error) {
            note(null, error);
        }
    }

    private synchronized void note(HttpResponse<String> answer, Throwable error) {
        if (answer != null && answer.statusCode() == 200 && answer.body().contains("\"active\":true")) {
            right++;
        } else {
            wrong.add(error != null ? String.valueOf(error) : answer.statusCode() + " " + answer.body());
        }
    }

    private void report(String name) {
        System.out.println(name + ": " + right + " right, wrong " + wrong);
    }
}
