// A FHIR server of a few records, for which smartauth decides about every request. Run it as the page says.
using SmartauthEnforcement;

var builder = WebApplication.CreateBuilder(args);
var fhirBase = new Uri(Environment.GetEnvironmentVariable("FHIR_BASE")!);
string port = Environment.GetEnvironmentVariable("PORT") ?? fhirBase.Port.ToString();
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");

// The part to copy: before your endpoints, after UseCors. Reads and searches by GET are open as far as smartauth says.
builder.Services.AddSingleton<Smartauth>();
var app = builder.Build();
app.UseMiddleware<SmartMiddleware>();

// Your server. Each search heeds _id for Patient, and patient for all other types, each as often as it comes.
(string Type, string Id, string Patient)[] records =
[
    ("Patient", "amy", "amy"), ("Patient", "ben", "ben"),
    ("Observation", "amy-1", "amy"), ("Observation", "amy-2", "amy"), ("Observation", "ben-1", "ben"),
];
string root = fhirBase.AbsolutePath.TrimEnd('/');

app.MapGet(root + "/metadata", () => Results.Json(new
{
    resourceType = "CapabilityStatement", status = "active", kind = "instance",
    date = "2026-01-01", fhirVersion = "4.0.1", format = new[] { "json" },
}));

app.MapGet(root + "/{type}/{id}", (string type, string id) =>
    records.Where(each => each.Type == type && each.Id == id).Select(each => Results.Json(Resource(each)))
        .FirstOrDefault(Results.NotFound()));

app.MapGet(root + "/{type}", (string type, HttpRequest request) =>
{
    var wanted = request.Query[type == "Patient" ? "_id" : "patient"];
    var found = records.Where(each => each.Type == type && wanted.All(values => Names(values!).Contains(each.Patient)));
    var entry = found.Select(each => new { resource = Resource(each) }).ToArray();
    return Results.Json(new { resourceType = "Bundle", type = "searchset", total = entry.Length, entry });
});

app.Run();

static string[] Names(string values) => values.Split(',').Select(each => each.Split('/')[^1]).ToArray();

static object Resource((string Type, string Id, string Patient) record) => record.Type == "Patient"
    ? new { resourceType = record.Type, id = record.Id }
    : new
    {
        resourceType = record.Type, id = record.Id, status = "final",
        code = new { text = "Body weight" }, subject = new { reference = $"Patient/{record.Patient}" },
    };
