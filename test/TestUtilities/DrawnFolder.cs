using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// A Pascal VOC folder of drawn images in the temporary folder: red squares and blue discs on grey noise, in images of two
/// sizes. Split into train, val and test. Deleted on dispose.
/// </summary>
internal sealed class DrawnFolder : IDisposable
{
    public DrawnFolder(int train, int val, int test)
    {
        Path = Directory.CreateTempSubdirectory("ml-distillation").FullName;
        foreach (string name in new[] { "Annotations", "JPEGImages", System.IO.Path.Combine("ImageSets", "Main") })
            Directory.CreateDirectory(At(name));
        int next = 0;
        foreach ((string split, int count) in new[] { ("train", train), ("val", val), ("test", test) })
        {
            string[] names = [.. Enumerable.Range(next, count).Select(i => $"image{i}")];
            foreach (string name in names) Draw(name, next++);
            File.WriteAllLines(At("ImageSets", "Main", split + ".txt"), names);
        }
    }

    public string Path { get; }

    public string Image(int index) => At("JPEGImages", $"image{index}.png");

    public string At(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private void Draw(string name, int seed)
    {
        var random = new Random(seed);
        (int width, int height) = seed % 3 == 0 ? (120, 90) : (96, 72);
        byte[] pixels = new byte[4 * width * height];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = i % 4 == 3 ? (byte)255 : (byte)random.Next(90, 150);
        var objects = new List<string>();
        int count = random.Next(1, 4);
        for (int k = 0; k < count; k++)
        {
            // Each object has a third of the width for itself, so that none hides another.
            int side = random.Next(16, 28), x0 = k * width / 3 + random.Next(0, width / 3 - side + 1), y0 = random.Next(1, height - side);
            bool disc = random.Next(2) == 0;
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                {
                    double dx = x + .5 - side / 2.0, dy = y + .5 - side / 2.0;
                    if (disc && dx * dx + dy * dy > side * side / 4.0) continue;
                    int at = 4 * ((y0 + y) * width + x0 + x);
                    (pixels[at], pixels[at + 1], pixels[at + 2]) = disc ? ((byte)30, (byte)40, (byte)220) : ((byte)220, (byte)40, (byte)30);
                }

            objects.Add($"<object><name>{(disc ? "disc" : "square")}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
                + $"<xmax>{x0 + side}</xmax><ymax>{y0 + side}</ymax></bndbox></object>");
        }

        using (var image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels)) image
            .Save(At("JPEGImages", name + ".png"));
        File.WriteAllText(At("Annotations", name + ".xml"),
            $"<annotation><filename>{name}.png</filename><size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
                + $"{string.Concat(objects)}</annotation>");
    }
}
