using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

// RawDecoding student-raw.onnx PICTURE.ppm: runs the raw form of a student (ml-distill export --form raw) on ONNX Runtime alone and
// chooses among its boxes, in a page of code to take along. An application brings the pixels: a phone has them from its camera; here they
// come from a binary PPM, as `convert photo.jpg photo.ppm` writes it.
if (args.Length != 2)
{
    Console.Error.WriteLine("usage: RawDecoding student-raw.onnx PICTURE.ppm");
    return 2;
}

(byte[] rgb, int width, int height) = ReadPpm(args[1]);
using var session = new InferenceSession(args[0]);
int[] input = session.InputMetadata["images"].Dimensions;      // 1, 3, H, W
IReadOnlyDictionary<string, string> metadata = session.ModelMetadata.CustomMetadataMap;
string[] names = JsonSerializer.Deserialize<string[]>(metadata["names"])!;
Choice choice = JsonSerializer.Deserialize<Choice>(metadata["ml-distillation.raw"])!;

float[] image = Resize(rgb, width, height, input[3], input[2]);
using OrtValue images = OrtValue.CreateTensorValueFromMemory(image, [1, 3, input[2], input[3]]);
using var runOptions = new RunOptions();
using IDisposableReadOnlyCollection<OrtValue> found = session.Run(
    runOptions, new Dictionary<string, OrtValue> { ["images"] = images }, ["boxes", "scores"]);
foreach ((int label, float score, float[] box) in Choose(
    found[0].GetTensorDataAsSpan<float>().ToArray(), found[1].GetTensorDataAsSpan<float>().ToArray(), names.Length, choice))
{
    // Boxes are shares of the picture.
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{names[label]} {score:0.000} at {box[0] * width:0.0} {box[1] * height:0.0} {box[2] * width:0.0} {box[3] * height:0.0}"));
}

return 0;

// The best boxes of each class, none of which overlaps a better one of its class by more than the threshold.
static List<(int Label, float Score, float[] Box)> Choose(float[] boxes, float[] scores, int classes, Choice choice)
{
    var kept = new List<(int Label, float Score, float[] Box)>();
    for (int label = 0; label < classes; label++)
    {
        var ofClass = new List<(int, float, float[] Box)>();
        foreach (int i in Enumerable.Range(0, boxes.Length / 4).Where(i => scores[i * classes + label] > choice.ScoreThreshold)
            .OrderByDescending(i => scores[i * classes + label]))
        {
            float[] box = boxes[(4 * i)..(4 * i + 4)];
            bool isHidden = ofClass.Any(better => Overlap(better.Box, box) > choice.NmsThreshold);
            if (!isHidden) ofClass.Add((label, scores[i * classes + label], box));
        }

        kept.AddRange(ofClass);
    }

    return [.. kept.OrderByDescending(one => one.Score).Take(choice.MaxDetections)];
}

static float Overlap(float[] a, float[] b)
{
    float width = Math.Min(a[2], b[2]) - Math.Max(a[0], b[0]), height = Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]);
    if (width <= 0 || height <= 0) return 0;
    float both = width * height;
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

// To float [3,toHeight,toWidth], 0 to 1, by a triangle filter that is widened where the picture shrinks, as in training.
static float[] Resize(byte[] rgb, int width, int height, int toWidth, int toHeight)
{
    (int First, float[] Weights)[] columns = Filter(width, toWidth), rows = Filter(height, toHeight);
    var narrow = new float[3 * height * toWidth];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < toWidth; x++)
            for (int k = 0; k < columns[x].Weights.Length; k++)
                for (int c = 0; c < 3; c++)
                    narrow[(c * height + y) * toWidth + x] += columns[x].Weights[k] / 255 * rgb[3 * (y * width + columns[x].First + k) + c];
    var image = new float[3 * toHeight * toWidth];
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < toHeight; y++)
            for (int k = 0; k < rows[y].Weights.Length; k++)
                for (int x = 0; x < toWidth; x++)
                    image[(c * toHeight + y) * toWidth + x]
                        += rows[y].Weights[k] * narrow[(c * height + rows[y].First + k) * toWidth + x];
    return image;
}

static (int First, float[] Weights)[] Filter(int from, int to) => [.. Enumerable.Range(0, to).Select(i =>
{
    double scale = (double)from / to, reach = Math.Max(scale, 1), centre = (i + 0.5) * scale;
    int first = Math.Max(0, (int)Math.Floor(centre - reach)), last = Math.Min(from - 1, (int)Math.Ceiling(centre + reach));
    double[] weights = [.. Enumerable.Range(first, last - first + 1).Select(j => Math.Max(0, 1 - Math.Abs(j + 0.5 - centre) / reach))];
    double sum = weights.Sum();
    return (first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
})];

static (byte[] Rgb, int Width, int Height) ReadPpm(string path)
{
    byte[] file = File.ReadAllBytes(path);
    var words = new List<string>();
    int at = 0;
    while (words.Count < 4)
    {
        int start = at;
        while (!char.IsWhiteSpace((char)file[at])) at++;
        if (at > start) words.Add(System.Text.Encoding.ASCII.GetString(file, start, at - start));
        at++;
    }

    int width = int.Parse(words[1], CultureInfo.InvariantCulture), height = int.Parse(words[2], CultureInfo.InvariantCulture);
    return words[0] == "P6" && words[3] == "255" && file.Length - at == 3 * width * height
        ? (file[at..], width, height) : throw new FormatException($"'{path}' is no binary PPM of 8 bits.");
}

/// <summary>How the model's own detections are chosen, from its metadata.</summary>
internal sealed record Choice(float ScoreThreshold, float NmsThreshold, int MaxDetections);
