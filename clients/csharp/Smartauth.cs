// Asks smartauth what a request with a token may do. What is not exactly an answer is none, and nothing is served.
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace SmartauthEnforcement;

/// The log, which ASP.NET Core gives, says why requests are answered with 503: a line in ten seconds.
public sealed class Smartauth(ILogger<Smartauth>? log = null)
{
    private const int MostEntries = 200; // of one question, and its bytes: smartauth reads 1 MiB
    private const int MostAskedBytes = 900_000;
    private const long KeptMilliseconds = 300_000;
    private const long RestMilliseconds = 10_000;
    private static readonly string[] Conditions = ["hide", "sets", "elements", "refuse"]; // of a view, never without one
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan, // Exchange bounds all of it, with its second try
        MaxResponseContentBufferSize = 1_000_000,
    };

    public string Base { get; } = Environment.GetEnvironmentVariable("FHIR_BASE")!;
    private readonly Uri access = new(new Uri(Environment.GetEnvironmentVariable("INTROSPECT")!), "../access/v1/");
    private readonly Uri configuration = new(
        new Uri(Environment.GetEnvironmentVariable("INTROSPECT")!),
        "smart-configuration?aud=" + Uri.EscapeDataString(Environment.GetEnvironmentVariable("FHIR_BASE")!));
    private readonly string credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes(
        Environment.GetEnvironmentVariable("CLIENT_ID") + ":" + Environment.GetEnvironmentVariable("CLIENT_SECRET")));

    private sealed record Document(string Text, long StaleAt);

    private volatile Document document = new("", 0);
    private long restsUntil; // the log, after a line

    /// What may be done and shown: view, elements, hide. Throws Refusal where the answer is no.
    public async Task<JsonNode> Decide(string token, string url)
    {
        JsonObject answer = await Ask("evaluation", new JsonObject
        {
            ["subject"] = Subject(token),
            ["context"] = new JsonObject
            {
                ["base"] = Base,
                ["http"] = new JsonObject { ["method"] = "GET", ["url"] = url },
                ["understands"] = new JsonArray("fhir-view/1"),
            },
        });
        JsonObject context = answer["context"] as JsonObject ?? throw Unavailable("there is no context");
        bool isView = context["view"] is JsonObject && context["hide"]?["http"] is JsonObject;
        bool isWhole = !context.ContainsKey("view") && !Conditions.Any(context.ContainsKey);
        if (IsYes(answer) && (isView || isWhole) && !context.ContainsKey("obligations")) return context;
        bool isNo = answer["decision"]?.GetValueKind() == JsonValueKind.False && context["http"] is JsonObject;
        throw isNo ? Refusal.From(context) : Unavailable(Flaw(answer, context));
    }

    private static string Flaw(JsonObject answer, JsonObject context)
    {
        JsonValueKind? decision = answer["decision"]?.GetValueKind();
        if (decision == JsonValueKind.False) return "no status to refuse with";
        if (decision != JsonValueKind.True) return "decision is neither true nor false";
        if (!context.ContainsKey("view")) return "a condition without a view";
        return context.ContainsKey("obligations") ? "obligations are not understood" : "the view is not whole";
    }

    /// What keeps a search of that type within the view: these patients, null for everybody's, and each of the criteria.
    public static (List<string>? Patients, List<(string Name, string Values)> Where) Narrowing(JsonNode decision, string type)
    {
        var alternatives = (decision["view"]![type] as JsonArray ?? []).Select(each => each!.AsObject()).ToList();
        var owners = alternatives.Select(each => each["who"]!).DistinctBy(each => each.ToJsonString()).ToList();
        var wheres = alternatives.Select(each => each["where"]!.AsArray()).DistinctBy(each => each.ToJsonString()).ToList();
        if (owners.Count == 0 || (owners.Count > 1 && wheres.Count > 1)) throw TooCostly();
        return (Patients(owners, decision), Criteria(wheres));
    }

    private static List<string>? Patients(List<JsonNode> owners, JsonNode decision)
    {
        var found = new List<string>();
        foreach (JsonNode who in owners)
        {
            if (who is JsonValue && (string?)who == "all") return null;
            JsonNode? listed = (who as JsonObject)?["compartments"];
            if ((who as JsonObject)?["compartments_of"] is JsonNode name) listed = decision["sets"]?[(string?)name ?? ""];
            if (listed is not JsonArray { Count: > 0 } patients) throw TooCostly();
            found.AddRange(patients.Select(each => each!.GetValue<string>().Split('/')[^1]));
        }
        return found.Distinct().ToList();
    }

    /// Values of one parameter, of which any will do, are one criterion.
    private static List<(string Name, string Values)> Criteria(List<JsonArray> wheres)
    {
        if (wheres.Any(each => each.Count == 0)) return [];
        var found = wheres.SelectMany(each => each).Select(each => (
            Name: each!["name"]!.GetValue<string>(),
            Values: string.Join(',', each["values"]!.AsArray().Select(value => value!.GetValue<string>())))).ToList();
        if (wheres.Count == 1) return found;
        bool isOneEach = wheres.All(each => each.Count == 1) && found.All(each => each.Name == found[0].Name);
        if (!isOneEach) throw TooCostly();
        return [(found[0].Name, string.Join(',', found.Select(each => each.Values)))];
    }

    private static Refusal TooCostly() =>
        Refusal.Of(403, "too-costly", "No single search finds what this token may see.");

    /// For each record whether the client may see it. Those that are not of the type that was asked for are read.
    public async Task<bool[]> Visible(string token, string path, JsonNode decision, List<JsonObject> records)
    {
        string type = path.Split('/')[0];
        string interaction = path switch
        {
            _ when path.Contains("/_history/") => "vread",
            _ when path.EndsWith("/_history") => "history-instance",
            _ => path == type ? "search-type" : "read",
        };
        var seen = new List<bool>();
        foreach (JsonNode[] some in Batches(records.Select(each => Entry(each, type, interaction, decision))))
        {
            var question = new JsonObject { ["subject"] = Subject(token), ["evaluations"] = new JsonArray(some) };
            JsonArray answers = (await Ask("evaluations", question))["evaluations"] as JsonArray ?? [];
            if (answers.Count != some.Length) throw Unavailable("not one decision for each resource");
            seen.AddRange(answers.Select(IsYes));
        }
        return seen.ToArray();
    }

    private static IEnumerable<JsonNode[]> Batches(IEnumerable<JsonObject> entries)
    {
        var batch = new List<JsonNode>();
        int bytes = 0;
        foreach (JsonObject entry in entries)
        {
            int more = Encoding.UTF8.GetByteCount(entry.ToJsonString());
            if (batch.Count == MostEntries || (batch.Count > 0 && bytes + more > MostAskedBytes))
            {
                yield return batch.ToArray();
                batch = [];
                bytes = 0;
            }
            batch.Add(entry);
            bytes += more;
        }
        if (batch.Count > 0) yield return batch.ToArray();
    }

    private JsonObject Entry(JsonObject record, string type, string interaction, JsonNode decision)
    {
        string own = (string?)record["resourceType"] ?? "";
        var needed = (decision["elements"]?[own] as JsonArray ?? []).Select(each => each!.GetValue<string>().Split('.')[0]);
        var content = new JsonObject();
        foreach (string name in needed.Distinct()) if (record[name] is JsonNode value) content[name] = value.DeepClone();
        return new JsonObject
        {
            ["action"] = new JsonObject { ["name"] = own == type ? interaction : "read" },
            ["resource"] = new JsonObject
            {
                ["type"] = own,
                ["id"] = (string?)record["id"] ?? "",
                ["properties"] = new JsonObject { ["base"] = Base, ["content"] = content },
            },
        };
    }

    private static JsonObject Subject(string token) => new() { ["type"] = "access_token", ["id"] = token };

    private static bool IsYes(JsonNode? answer) => answer?["decision"]?.GetValueKind() == JsonValueKind.True;

    /// The document that apps read before they have a token, read again after five minutes.
    public async Task<string> SmartConfiguration()
    {
        Document known = document;
        if (Environment.TickCount64 < known.StaleAt) return known.Text;
        string text = await Exchange(() => new HttpRequestMessage(HttpMethod.Get, configuration));
        _ = Parsed(text);
        document = new Document(text, Environment.TickCount64 + KeptMilliseconds);
        return text;
    }

    private async Task<JsonObject> Ask(string where, JsonObject question) => Parsed(await Exchange(() =>
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(access, where));
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", credentials);
        request.Content = JsonContent.Create(question);
        return request;
    }));

    private JsonObject Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw Unavailable("not an object");
        }
        catch (JsonException)
        {
            throw Unavailable("the answer is no JSON");
        }
    }

    /// The text of a right answer, within three seconds for all of it.
    private async Task<string> Exchange(Func<HttpRequestMessage> made)
    {
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        try
        {
            using HttpResponseMessage answer = await Send(made, end.Token);
            int status = (int)answer.StatusCode;
            string? kind = answer.Content.Headers.ContentType?.MediaType;
            if (status == 200 && kind == "application/json") return await answer.Content.ReadAsStringAsync();
            string? id = Environment.GetEnvironmentVariable("CLIENT_ID");
            throw Unavailable(status == 401 ? $"401, it does not know the client {id} by this secret" : $"{status} as {kind}");
        }
        catch (OperationCanceledException)
        {
            throw Unavailable("no whole answer within 3 s");
        }
        catch (HttpRequestException problem)
        {
            // what is wrong with a certificate, else the kind alone: other messages may repeat what came
            string kind = problem.HttpRequestError.ToString();
            throw Unavailable(problem.InnerException is AuthenticationException tls ? tls.Message : kind);
        }
    }

    /// What a connection broke is asked once more: the server may have closed it just when it was taken from the pool.
    private static async Task<HttpResponseMessage> Send(Func<HttpRequestMessage> made, CancellationToken end)
    {
        for (int attempt = 1; ; attempt++)
        {
            using HttpRequestMessage request = made();
            try
            {
                return await Http.SendAsync(request, end); // the answer is buffered
            }
            catch (HttpRequestException) when (attempt == 1)
            {
                // once more
            }
        }
    }

    /// 503 for the app, and the reason for the log, unless there was one just now.
    private Refusal Unavailable(string reason)
    {
        const string Told = "requests are answered with 503: smartauth at {Host} decided nothing: {Reason}";
        long now = Environment.TickCount64, until = Interlocked.Read(ref restsUntil);
        if (now >= until && Interlocked.CompareExchange(ref restsUntil, now + RestMilliseconds, until) == until)
            log?.LogWarning(Told, access.Authority, reason);
        return Refusal.Of(503, "transient", "The authorization server does not answer.", ("Retry-After", "5"));
    }
}

/// What the client is to be told in place of the answer.
public sealed class Refusal : Exception
{
    public required int Status { get; init; }
    public required JsonObject Outcome { get; init; }
    public Dictionary<string, string> Headers { get; } = [];

    /// As smartauth wrote it.
    public static Refusal From(JsonNode told)
    {
        var found = new Refusal
        {
            Status = told["http"]!["status"]!.GetValue<int>(),
            Outcome = told["outcome"]!.DeepClone().AsObject(),
        };
        foreach (var (name, value) in told["http"]!["headers"]!.AsObject()) found.Headers[name] = value!.GetValue<string>();
        return found;
    }

    public static Refusal Of(int status, string code, string text, params (string Name, string Value)[] headers)
    {
        var issue = new JsonObject { ["severity"] = "error", ["code"] = code, ["diagnostics"] = text };
        var outcome = new JsonObject { ["resourceType"] = "OperationOutcome", ["issue"] = new JsonArray(issue) };
        var found = new Refusal { Status = status, Outcome = outcome };
        foreach (var (name, value) in headers) found.Headers[name] = value;
        return found;
    }
}
