// Lets smartauth decide about every request of an ASP.NET Core application, and about each record that it answers with.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace SmartauthEnforcement;

public sealed class SmartMiddleware(RequestDelegate next, Smartauth smartauth)
{
    private static readonly Regex Bearer = new(@"\A(?i:bearer) +([A-Za-z0-9._~+/-]{1,16000}=*)\z", RegexOptions.Compiled);
    private static readonly string[] Form = ["_elements", "_summary", "_format"];
    // With them an answer does not come whole, or its status tells that a hidden record exists.
    private static readonly string[] Conditions =
        ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Range", "Accept-Encoding"];

    // Enforcement ------------------------------------------------------------------------------------------------------

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            string path = Below(http.Request.Path), method = http.Request.Method;
            bool isDocument = path == ".well-known/smart-configuration";
            if (isDocument && (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))) { await Tell(http.Response); return; }
            if (!HttpMethods.IsGet(method)) throw Refusal.Of(403, "forbidden", "Only reads are open here.");
            if (path == "metadata") { await next(http); return; }
            string token = Token(http.Request.Headers.Authorization);
            JsonNode decision = await smartauth.Decide(token, Escaped(path) + http.Request.QueryString);
            foreach (string name in Conditions) http.Request.Headers.Remove(name);
            if (decision["view"] is not null) Narrow(http.Request, path, decision);
            JsonObject answer = await Answer(next, http, path, decision["view"] is not null);
            await Send(http.Response, 200, decision["view"] is null ? answer : await Visible(token, path, decision, answer));
        }
        catch (Refusal refusal)
        {
            foreach (var (name, value) in refusal.Headers) http.Response.Headers[name] = value;
            await Send(http.Response, refusal.Status, refusal.Outcome);
        }
    }

    /// Adds what keeps a search within the view; parameters that come again are a conjunction (FHIR search).
    private static void Narrow(HttpRequest request, string path, JsonNode decision)
    {
        var known = request.Query.Where(each => !Form.Contains(each.Key, StringComparer.OrdinalIgnoreCase));
        var query = known.ToDictionary(each => each.Key, each => each.Value, StringComparer.OrdinalIgnoreCase);
        if (path.EndsWith("/_history")) query.Remove("_count"); // a link to another page would tell of versions out of reach
        if (!path.Contains('/'))
        {
            var (patients, where) = Smartauth.Narrowing(decision, path);
            if (patients is not null && path == "Patient") Add(query, "_id", string.Join(',', patients));
            else if (patients is not null) Add(query, "patient", string.Join(',', patients.Select(id => $"Patient/{id}")));
            foreach (var (name, values) in where) Add(query, name, values);
        }
        request.QueryString = QueryString.Create(query);
    }

    /// What of the answer the token may see; a record out of reach is as if it did not exist.
    private async Task<JsonObject> Visible(string token, string path, JsonNode decision, JsonObject answer)
    {
        bool isSearch = !path.Contains('/');
        bool findsMany = isSearch || path.EndsWith("/_history"); // a Bundle that is read by its id is one record
        bool isBundle = findsMany && (string?)answer["resourceType"] == "Bundle";
        var entries = (answer["entry"] as JsonArray ?? []).Where(each => each?["resource"] is JsonObject).ToList();
        List<JsonObject> records = isBundle ? entries.Select(each => each!["resource"]!.AsObject()).ToList() : [answer];
        bool[] seen = await smartauth.Visible(token, path, decision, records);
        bool isThere = isBundle || answer.ContainsKey("id"); // else it stands for a record that is not there
        if (!isThere || (!(isBundle && isSearch) && !seen.Contains(true))) throw Refusal.From(decision["hide"]!);
        if (!isBundle) return answer;
        // total and links may count what may not be seen
        var shown = new JsonObject { ["resourceType"] = "Bundle", ["type"] = isSearch ? "searchset" : "history" };
        var visible = entries.Where((_, place) => seen[place]).Select(each => each!.DeepClone()).ToArray();
        if (visible.Length > 0) shown["entry"] = new JsonArray(visible);
        return shown;
    }

    // The request and the answer ---------------------------------------------------------------------------------------

    private string Below(PathString path)
    {
        string known = new Uri(smartauth.Base).AbsolutePath.TrimEnd('/') + "/";
        if (path.Value?.StartsWith(known, StringComparison.Ordinal) != true)
            throw Refusal.Of(404, "not-found", "There is nothing here for you.");
        return path.Value[known.Length..].TrimEnd('/'); // routing finds the same endpoint with a slash at the end
    }

    /// As it stands in a URL: a question mark in a decoded path does not begin the query.
    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string Token(StringValues authorization)
    {
        if (authorization.Count == 1 && Bearer.Match(authorization[0]!) is { Success: true } found) return found.Groups[1].Value;
        bool isBearer = authorization.Any(each => each!.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase));
        string challenge = isBearer ? "Bearer error=\"invalid_token\"" : "Bearer";
        throw Refusal.Of(401, "login", "This needs an access token for this server.", ("WWW-Authenticate", challenge));
    }

    private static void Add(Dictionary<string, StringValues> query, string name, string value) =>
        query[name] = StringValues.Concat(query.GetValueOrDefault(name), value);

    /// The application's answer, which waits until it was checked. None of its headers goes out: an ETag would tell that a
    /// hidden record exists. What is not there is asked about as what is hidden, which then takes no longer.
    private static async Task<JsonObject> Answer(RequestDelegate next, HttpContext http, string path, bool hasView)
    {
        var headers = http.Response.Headers.ToDictionary(each => each.Key, each => each.Value);
        Stream body = http.Response.Body;
        using var kept = new MemoryStream();
        http.Response.Body = kept;
        try { await next(http); }
        finally { http.Response.Body = body; }
        http.Response.Headers.Clear();
        foreach (var (name, value) in headers) http.Response.Headers[name] = value;
        int status = http.Response.StatusCode;
        bool isAbsent = status is 404 or 410;
        if (isAbsent && hasView) return new JsonObject { ["resourceType"] = path.Split('/')[0] };
        if (status < 400 && status != 200) status = 500;
        if (status != 200) throw Refusal.Of(status, isAbsent ? "not-found" : "processing", "There is no answer to this.");
        kept.Position = 0;
        return (await JsonNode.ParseAsync(kept))!.AsObject();
    }

    /// What apps of any origin read before they have a token.
    private async Task Tell(HttpResponse response)
    {
        string document = await smartauth.SmartConfiguration();
        response.ContentType = "application/json";
        response.Headers.AccessControlAllowOrigin = "*";
        await response.WriteAsync(document);
    }

    private static Task Send(HttpResponse response, int status, JsonObject resource)
    {
        response.StatusCode = status;
        response.ContentType = "application/fhir+json";
        response.ContentLength = null;
        return response.WriteAsync(resource.ToJsonString());
    }
}
