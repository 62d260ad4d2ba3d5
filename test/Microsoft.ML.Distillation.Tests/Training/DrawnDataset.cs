using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Small drawn images with one to three objects each: squares and discs, bright on dark noise.</summary>
internal sealed class DrawnDataset : IDetectionDataset
{
    private const int Width = 80;
    private const int Height = 64;

    private readonly List<(RgbImage Image, Annotation Annotation)> _samples = [];

    public DrawnDataset(int count, int seed = 1)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++) _samples.Add(Draw(random));
    }

    /// <summary>How often the images are there.</summary>
    public int Copies { get; init; } = 1;

    public int Count => _samples.Count * Copies;

    public IReadOnlyList<string> ClassNames { get; init; } = ["square", "disc"];

    public ImageSize SizeOf(int index) => new(Width, Height);

    public Annotation AnnotationOf(int index) => _samples[index % _samples.Count].Annotation;

    public RgbImage? TryRead(int index) => _samples[index % _samples.Count].Image;

    public void Dispose() => _samples.Clear();

    private static (RgbImage, Annotation) Draw(Random random)
    {
        var pixels = new byte[3 * Width * Height];
        random.NextBytes(pixels);
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(pixels[i] / 4);
        var boxes = new List<float>();
        var labels = new List<int>();
        int objects = random.Next(1, 4);
        for (int k = 0; k < objects; k++)
        {
            int size = random.Next(14, 24);
            int x0 = k * Width / objects + random.Next(0, Math.Max(1, Width / objects - size)), y0 = random.Next(0, Height - size);
            x0 = Math.Min(x0, Width - size);
            int label = random.Next(2);
            for (int y = 0; y < size; y++)
            {
                for (int x = 0; x < size; x++)
                {
                    double dx = (x + 0.5) / size - 0.5, dy = (y + 0.5) / size - 0.5;
                    if (label == 1 && dx * dx + dy * dy > 0.25) continue;
                    int at = 3 * ((y0 + y) * Width + x0 + x);
                    (pixels[at], pixels[at + 1], pixels[at + 2]) = label == 0 ? ((byte)230, (byte)80, (byte)60)
                        : ((byte)60, (byte)120, (byte)240);
                }
            }

            boxes.AddRange([(float)x0 / Width, (float)y0 / Height, (float)(x0 + size) / Width, (float)(y0 + size) / Height]);
            labels.Add(label);
        }

        return (new RgbImage(Width, Height, pixels), new Annotation([.. boxes], [.. labels]));
    }
}
