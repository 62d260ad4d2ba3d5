using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Distillation;

// Batch student.zip FOLDER RESULTS.jsonl: sends all pictures of a folder through an ML.NET pipeline, on all cores, and writes a line of
// JSON for each. A cursor of a pipeline runs on one thread; here each core has its own, and takes the next few pictures when it is done.
if (args.Length != 3)
{
    Console.Error.WriteLine("usage: Batch student.zip FOLDER RESULTS.jsonl");
    return 2;
}

var mlContext = new MLContext();
ITransformer model = mlContext.Model.Load(args[0], out _);
using var whenDone = (IDisposable)model;
IReadOnlyList<string> pictures = ImageLoader.FilesIn(args[1]);

long start = Stopwatch.GetTimestamp();
using var results = new StreamWriter(args[2]);
foreach (Prediction found in pictures.Chunk(8).AsParallel().AsOrdered().SelectMany(Predict))
{
    results.WriteLine(JsonSerializer.Serialize(new
    {
        image = Path.GetFileName(found.ImagePath),
        detections = found.PredictedLabel.Select((label, i) => new
        {
            label,
            score = found.Score[i],
            box = found.PredictedBoundingBoxes[(4 * i)..(4 * i + 4)],
        }),
    }));
}

double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{pictures.Count} pictures in {seconds:0.0} s, {pictures.Count / seconds:0.0} a second"));
return 0;

IEnumerable<Prediction> Predict(string[] part)
{
    IDataView rows = mlContext.Data.LoadFromEnumerable(part.Select(path => new Photo { ImagePath = path }));
    return mlContext.Data.CreateEnumerable<Prediction>(model.Transform(rows), reuseRowObject: false);
}

/// <summary>What the pipeline reads.</summary>
internal sealed class Photo
{
    public string ImagePath { get; set; } = "";
}

/// <summary>What the pipeline writes: for each detection its class, its score, and x0 y0 x1 y1 in pixels.</summary>
internal sealed class Prediction
{
    public string ImagePath { get; set; } = "";

    public string[] PredictedLabel { get; set; } = [];

    public float[] Score { get; set; } = [];

    public float[] PredictedBoundingBoxes { get; set; } = [];
}
