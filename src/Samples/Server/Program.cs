using System.Diagnostics;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation;

// Server --student student.onnx [--alone student-alone.onnx] [--teacher teacher.zip] [--web node_modules/onnxruntime-web/dist]
//     [--max-megabytes 10] [--urls http://localhost:5000]
// POST an image's file to /detect/student (or /detect/alone, /detect/teacher) and get JSON. The page at / shows a picture to all of them
// and, where --web names the files of onnxruntime-web, to the student in the browser itself.
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
IConfiguration given = builder.Configuration;
if (given["student"] is not { } studentFile || Path.GetExtension(studentFile) != ".onnx")
{
    Console.Error.WriteLine("usage: Server --student FILE.onnx [--alone FILE] [--teacher FILE] [--web FOLDER] [--max-megabytes N]");
    return 2;
}

long mostBytes = given.GetValue("max-megabytes", 10L) << 20;
const long MostPixels = 50_000_000;

// One thread a detection and as many detections at a time as there are cores: that answers most requests a second.
var options = new ObjectDetectorOptions { Threads = 1, ScoreThreshold = 0.05 };
Dictionary<string, ObjectDetector> models = new string[] { "teacher", "alone", "student" }.Where(name => given[name] is not null)
    .ToDictionary(name => name, name => ObjectDetector.Load(given[name]!, options));

builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = mostBytes);
builder.Services.AddRateLimiter(limiter =>
{
    limiter.RejectionStatusCode = StatusCodes.Status503ServiceUnavailable;
    limiter.AddConcurrencyLimiter("cores", cores =>
    {
        cores.PermitLimit = Environment.ProcessorCount;
        cores.QueueLimit = 16 * Environment.ProcessorCount;
        cores.QueueProcessingOrder = QueueProcessingOrder.OldestFirst;
    });
});

WebApplication app = builder.Build();
app.Use((context, next) =>
{
    // With these two the browser lets WebAssembly use several threads.
    context.Response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
    context.Response.Headers["Cross-Origin-Embedder-Policy"] = "require-corp";
    return next();
});
app.UseRateLimiter();
if (given["web"] is { } web)
{
    var types = new FileExtensionContentTypeProvider();
    (types.Mappings[".mjs"], types.Mappings[".wasm"]) = ("text/javascript", "application/wasm");
    app.UseStaticFiles(new StaticFileOptions
    {
        FileProvider = new PhysicalFileProvider(Path.GetFullPath(web)),
        RequestPath = "/ort",
        ContentTypeProvider = types,
    });
}

app.MapGet("/", () => Results.Stream(typeof(Program).Assembly.GetManifestResourceStream("page.html")!, "text/html; charset=utf-8"));
app.MapGet("/student.onnx", () => Results.File(Path.GetFullPath(studentFile), "application/octet-stream"));
app.MapGet("/models", () => models.Select(model => new ModelFacts(
    model.Key, model.Value.Bytes, model.Value.Parameters, model.Value.InputWidth, model.Value.InputHeight, model.Value.ClassNames)));
app.MapPost("/detect/{name}", DetectAsync).RequireRateLimiting("cores");
app.Lifetime.ApplicationStopped.Register(() =>
{
    foreach (ObjectDetector model in models.Values) model.Dispose();
});
await app.RunAsync();
return 0;

async Task<IResult> DetectAsync(string name, HttpRequest request, CancellationToken cancellation, double score = 0.3)
{
    if (!models.TryGetValue(name, out ObjectDetector? model))
        return Results.Problem($"There is no model '{name}', but {string.Join(", ", models.Keys)}.", statusCode: 404);
    using var content = new MemoryStream();
    await request.Body.CopyToAsync(content, cancellation);
    try
    {
        using MLImage image = ImageLoader.Decode(content.GetBuffer().AsSpan(0, (int)content.Length), MostPixels);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<Detection> found = await model.DetectAsync(image, cancellation);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        FoundObject[] detections = [.. found.Where(one => one.Score >= score).Select(one => new FoundObject(
            one.Label, one.Score, [one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1]))];
        return Results.Ok(new Answer(name, image.Width, image.Height, milliseconds, detections));
    }
    catch (UnreadableImageException problem)
    {
        return Results.Problem(problem.Message, statusCode: StatusCodes.Status415UnsupportedMediaType);
    }
}

/// <summary>What the page says of a model.</summary>
internal sealed record ModelFacts(
    string Name, long Bytes, long? Parameters, int InputWidth, int InputHeight, IReadOnlyList<string> Classes);

/// <summary>What is found in a picture.</summary>
/// <param name="Width">The picture's width in pixels, upright.</param>
/// <param name="Height">The picture's height in pixels.</param>
/// <param name="Milliseconds">How long the model took, without the decoding of the file.</param>
internal sealed record Answer(string Model, int Width, int Height, double Milliseconds, IReadOnlyList<FoundObject> Detections);

/// <param name="Box">x0, y0, x1, y1 in pixels of the picture.</param>
internal sealed record FoundObject(string Label, float Score, float[] Box);
