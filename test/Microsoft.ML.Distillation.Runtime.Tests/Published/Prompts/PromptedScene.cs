using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Pictures for <see cref="PromptedGraph"/>, what it is told, and where it is to find it.</summary>
internal static class PromptedScene
{
    public static readonly (byte, byte, byte) Red = (220, 40, 30), Blue = (30, 40, 220), Green = (30, 180, 60), Brown = (150, 90, 30);

    public static IReadOnlyDictionary<int, (byte, byte, byte)> BertColours => new Dictionary<int, (byte, byte, byte)>
    {
        [2417] = Red,
        [2630] = Blue,
        [2665] = Green,
        // The second piece of "aglet".
        [7485] = Brown,
    };

    public static IReadOnlyDictionary<int, (byte, byte, byte)> ClipColours => new Dictionary<int, (byte, byte, byte)>
    {
        [736] = Red,
        [1746] = Blue,
        [1901] = Green,
        [1094] = Brown,
    };

    public static IReadOnlyList<Detection> Sure(ObjectDetector detector, RgbImage picture)
        => [.. detector.Detect(picture.Pixels, picture.Width, picture.Height).Where(one => one.Score >= detector.Reading!.ConfidentScore)];

    public static (RgbImage, int, int) PictureFor(PromptedGraph graph, params (int X, int Y, (byte, byte, byte) Colour)[] cells)
    {
        // Letterboxes: a cell is square. Stretched: an eighth of either side. In its own proportions: a hundred of its shorter side's 800.
        bool isDino = graph.Layout is PromptedLayout.HuggingFaceDino or PromptedLayout.IdeaDino;
        (int width, int height) = graph.Layout switch
        {
            PromptedLayout.OwlVit => (40, 25),
            _ when isDino && graph.Size is not null => (40, 25),
            _ => (25, 25),
        };
        // A centred letterbox leaves a cell above and one below.
        int rows = graph.Layout is PromptedLayout.WorldScores or PromptedLayout.WorldColumns or PromptedLayout.OwlV2 ? 6 : 8;
        int columns = graph.Size is null && isDino ? 12 : 8;
        RgbImage picture = DrawnImages.Plain(columns * width, rows * height, 120, 120, 120);
        foreach ((int x, int y, (byte, byte, byte) colour) in cells)
            DrawnImages.Fill(picture, x * width, y * height, width, height, colour);
        return (picture, width, height);
    }

    public static void AreAt(IReadOnlyList<Detection> found, int width, int height, params (string Label, int X, int Y)[] expected)
    {
        Assert.That(found.Select(one => one.Label).Order(), Is.EqualTo(expected.Select(one => one.Label).Order()), string.Join("; ",
            found));
        foreach ((string label, int x, int y) in expected)
        {
            Assert.That(found.Any(one => one.Label == label && Math.Abs(one.Box.X0 - x * width) < 2 && Math.Abs(one.Box.Y0 - y * height) < 2
                && Math.Abs(one.Box.X1 - (x + 1) * width) < 2 && Math.Abs(one.Box.Y1 - (y + 1) * height) < 2),
                $"{label} at {x}, {y} ({width} x {height}): {string.Join("; ", found)}");
        }
    }

    public static DetectorPrompts Told(TemporaryFolder folder, PromptedGraph graph, params string[] prompts)
    {
        bool isDino = graph.Layout is PromptedLayout.HuggingFaceDino or PromptedLayout.IdeaDino;
        bool isWorld = graph.Layout is PromptedLayout.WorldScores or PromptedLayout.WorldColumns;
        return DetectorPrompts.Parse(prompts) with
        {
            TokenizerPath = TestData.Model(isDino ? "vocabularies/bert-base-uncased-vocab.txt"
                : "vocabularies/bpe_simple_vocab_16e6.txt.gz"),
            TextEncoderPath = isWorld ? graph.SaveTower(folder.Sub("tower.onnx")) : null,
        };
    }
}
