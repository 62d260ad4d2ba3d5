using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published.Prompts;
using static Microsoft.ML.Distillation.Tests.PromptedScene;
using DataType = Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types.DataType;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// Graphs of the published layouts that no one has seen: other names, orders, types, sizes and outputs. Whatever differs, every phrase is
/// found where it is.
/// </summary>
public class PromptedVariantsTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _ = TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz");
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void DeleteFolder() => _folder?.Dispose();

    /// <summary>What published graphs of all layouts differ in.</summary>
    private static IEnumerable<(string Name, Func<PromptedGraph, PromptedGraph> Change)> Changes =>
    [
        ("names", graph => graph with { Names = Letters }),
        ("names, shuffled", graph => graph with { Names = Letters, Order = 1 }),
        ("names, shuffled otherwise", graph => graph with { Names = Letters, Order = 2 }),
        ("numbered names", graph => graph with { Names = Numbers, Order = 3 }),
        ("names of others", graph => graph with { Names = Others }),
        ("names of others, int32", graph => graph with { Names = Others, Integers = DataType.Int32, Order = 12 }),
        ("shuffled", graph => graph with { Order = 4 }),
        ("int32", graph => graph with { Integers = DataType.Int32, Order = 5, Names = Letters }),
        ("bool masks", graph => graph with { Masks = DataType.Bool, Order = 6 }),
        ("bool masks, names", graph => graph with { Masks = DataType.Bool, Order = 6, Names = Letters }),
        ("int64 masks, names", graph => graph with { Masks = DataType.Int64, Order = 7, Names = Letters }),
        ("float masks", graph => graph with { Masks = DataType.Float, Order = 7 }),
        ("half", graph => graph with { Floats = DataType.Float16, Order = 8 }),
        ("more outputs", graph => graph with { HasMore = true }),
        ("more outputs, shuffled", graph => graph with { HasMore = true, Order = 9 }),
        ("more outputs, names", graph => graph with { HasMore = true, Order = 10, Names = Letters }),
        ("open batch", graph => graph with { HasOpenBatch = true }),
        ("open batch, names, nameless", graph => graph with { HasOpenBatch = true, IsNameless = true, Names = Letters, Order = 11 }),
    ];

    private static IReadOnlyDictionary<string, string> Letters => Renamed(i => $"{(char)('a' + i)}");

    private static IReadOnlyDictionary<string, string> Numbers => Renamed(i => $"onnx::Cast_{i}");

    /// <summary>Names in an order that the exporter was told wrongly.</summary>
    private static Dictionary<string, string> Others => new()
    {
        ["pixel_values"] = "input_ids",
        ["input_ids"] = "attention_mask",
        ["attention_mask"] = "token_type_ids",
        ["token_type_ids"] = "pixel_values",
        ["samples"] = "position_ids",
        ["position_ids"] = "samples",
        ["logits"] = "pred_boxes",
        ["pred_boxes"] = "logits",
        ["boxes"] = "scores",
        ["scores"] = "boxes",
        ["images"] = "text_features",
        ["text_features"] = "images",
    };

    private static IEnumerable<TestCaseData> Variants()
    {
        bool isOpen = false;
        foreach (PromptedLayout layout in Enum.GetValues<PromptedLayout>())
        {
            // Every layout with every change, every second one of open size: of the next layout the others.
            isOpen = !isOpen;
            foreach ((string name, Func<PromptedGraph, PromptedGraph> change) in Changes)
            {
                isOpen = !isOpen;
                PromptedGraph graph = change(Of(layout, isOpen));
                yield return new TestCaseData(graph, FamilyOf(graph)).SetArgDisplayNames($"{layout} {(isOpen ? "open" : "fixed")} {name}");
            }
        }
    }

    private static IEnumerable<TestCaseData> Further()
    {
        foreach (int tokens in (int[])[16, 77, 256])
        {
            foreach (PromptedLayout layout in (PromptedLayout[])[PromptedLayout.HuggingFaceDino, PromptedLayout.IdeaDino])
            {
                yield return Case(Of(layout, false) with { Rows = tokens, HasOwnColumns = true, Names = Letters }, $"{layout} of {tokens}");
                yield return Case(Of(layout, true) with { Rows = tokens, Names = Letters, Order = 1 }, $"{layout} open, of {tokens}");
            }

            yield return Case(Of(PromptedLayout.HuggingFaceDino, true) with { IsBare = true, Rows = tokens, Names = Letters },
                $"bare of {tokens}");
            yield return Case(Of(PromptedLayout.OwlVit, false) with { TextLength = tokens, Names = Letters, Order = 1 },
                $"OwlVit of {tokens}");
        }

        yield return Case(Of(PromptedLayout.HuggingFaceDino, true) with { IsBare = true }, "bare");
        yield return Case(Of(PromptedLayout.HuggingFaceDino, true) with { IsBare = true, Names = Letters, HasOwnColumns = true },
            "bare, own columns");
        yield return Case(Of(PromptedLayout.HuggingFaceDino, true) with { HasOwnColumns = true, HasMore = true }, "own columns, more");
        yield return Case(Of(PromptedLayout.OwlV2, false) with { TextLength = null, Names = Letters }, "OwlV2 of open texts");
        yield return Case(Of(PromptedLayout.HuggingFaceDino, false) with { Size = (1200, 800), Order = 1 }, "wide");
        yield return Case(Of(PromptedLayout.IdeaDino, false) with { Size = (800, 1200), Names = Letters, Order = 2 }, "high");
        foreach (int rows in (int[])[1, 2, 3, 4, 5, 80])
        {
            foreach (PromptedLayout layout in (PromptedLayout[])[PromptedLayout.OwlV2, PromptedLayout.WorldScores,
                PromptedLayout.WorldColumns])
                yield return Case(Of(layout, false) with { Rows = rows, Order = rows, Names = Letters }, $"{layout} of {rows} texts");
        }

        static TestCaseData Case(PromptedGraph graph, string name)
            => new TestCaseData(graph, OnnxDetectorFormat.Auto).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Variants))]
    [TestCaseSource(nameof(Further))]
    public void EveryPhrase_IsFoundWhereItIs(object published, OnnxDetectorFormat format)
    {
        var graph = (PromptedGraph)published;
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue),
            (6, 4, Brown), (2, 4, Red));
        using ObjectDetector detector = Load(graph, format, "red square=box", "blue disc", "aglet=box", "green thing");
        AreAt(Sure(detector, picture), width, height, ("box", 1, 2), ("blue disc", 4, 1), ("box", 6, 4),
            ("box", 2, 4));
        Assert.That(detector.Remarks, Is.Empty);
    }

    [Test]
    public void PhrasesThatLeak_AreFoundOut_WhateverElseDiffers([Values(16, 77, 256, null)] int? tokens, [Values] bool isBare)
    {
        PromptedGraph graph = Of(PromptedLayout.HuggingFaceDino, tokens is null) with
        {
            Leaks = true,
            Rows = tokens,
            IsBare = isBare,
            HasMore = true,
            Names = Letters,
            Order = tokens ?? 1,
            Integers = DataType.Int32,
        };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue), (6, 4, Green), (2, 4, Brown));
        using ObjectDetector detector = Load(graph, OnnxDetectorFormat.Auto, "yellow", "red square", "blue disc", "green thing", "aglet");
        AreAt(Sure(detector, picture), width, height, ("red square", 1, 2), ("blue disc", 4, 1), ("green thing", 6, 4), ("aglet", 2, 4));
        Assert.That(detector.Remarks.Single(), Does.Contain("leak").And.Contain("5 passes"));
    }

    [TestCase(null, false, false)]
    [TestCase(1, false, true)]
    [TestCase(2, true, false)]
    [TestCase(7, true, true)]
    public void TextTowers_AreReadWhateverTheirNumberOfTexts(int? rows, bool hasMask, bool areShort)
    {
        PromptedGraph graph = Of(PromptedLayout.WorldScores, isOpen: false) with { Integers = areShort ? DataType.Int32 : DataType.Int64 };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue), (6, 4, Brown));
        using ObjectDetector detector = ObjectDetector.Load(graph.Save(_folder.Sub("model.onnx")), new ObjectDetectorOptions
        {
            Prompts = Told(_folder, graph, "red square", "blue disc", "aglet") with
            {
                TextEncoderPath = graph.SaveTower(_folder.Sub("other.onnx"), rows, hasMask),
            },
        });
        AreAt(Sure(detector, picture), width, height, ("red square", 1, 2), ("blue disc", 4, 1), ("aglet", 6, 4));
    }

    [Test]
    public void AnyNumberOfPhrases_IsReadAlike([Values] PromptedLayout layout, [Values(1, 2, 3, 4, 5)] int phrases)
    {
        IReadOnlyDictionary<string, string> names = phrases is 3 or 4 ? Others : Letters;
        PromptedGraph graph = Of(layout, isOpen: false) with { Names = names, Order = phrases, HasMore = phrases != 3 };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red));
        string[] prompts = [.. ((string[])["red", "blue", "green", "aglet", "yellow"]).Take(phrases)];
        using ObjectDetector detector = Load(graph, FamilyOf(graph), prompts);
        AreAt(Sure(detector, picture), width, height, ("red", 1, 2));
    }

    [Test]
    public void PhrasesOfAnyScript_AreFound([Values] PromptedLayout layout)
    {
        string[] phrases = ["Kick-Scooter", "RÖNTGEN tube", "7up can", "light_bluish_gray brick", "electroencephalograph"];
        (byte, byte, byte)[] colours = [Red, Blue, Green, Brown, (230, 220, 40)];
        PromptedGraph graph = Of(layout, isOpen: false);
        DetectorPrompts told = Told(_folder, graph, phrases);
        PhraseTokenizer tokenizer = PhraseTokenizer.Find(IsDino(layout) ? TokenizerKind.WordPieces : TokenizerKind.BytePairs,
            told.TokenizerPath, [], "the model");
        int[][] tokens = [.. phrases.Select(tokenizer.Encode)];
        // A phrase's last token that no other has takes its colour.
        graph = graph with
        {
            Colours = tokens.Select((own, i) => (Token: own.Last(token => tokens.Count(other => other.Contains(token)) == 1), i))
                .ToDictionary(pair => pair.Token, pair => colours[pair.i]),
        };
        (int X, int Y)[] places = [(1, 2), (4, 1), (6, 4), (2, 4), (5, 3)];
        (RgbImage picture, int width, int height) = PictureFor(graph,
            [.. places.Zip(colours, (place, colour) => (place.X, place.Y, colour))]);
        using ObjectDetector detector = Load(graph, OnnxDetectorFormat.Auto, phrases);
        AreAt(Sure(detector, picture), width, height,
            [.. places.Zip(phrases, (place, phrase) => (phrase, place.X, place.Y))]);
    }

    [TestCase(PromptedLayout.HuggingFaceDino, 1333, 0.3)]
    [TestCase(PromptedLayout.OwlVit, 768, 0.1)]
    [TestCase(PromptedLayout.OwlV2, 960, 0.2)]
    [TestCase(PromptedLayout.WorldScores, 640, 0.05)]
    [TestCase(PromptedLayout.WorldColumns, 640, 0.05)]
    public void OpenSizes_AndThresholds_AreTheFamilys_OrAsAsked(PromptedLayout layout, int side, double threshold)
    {
        PromptedGraph graph = Of(layout, isOpen: true);
        using ObjectDetector usual = Load(graph, FamilyOf(graph), "red");
        Assert.That((usual.InputWidth, usual.InputHeight), Is.EqualTo((side, side)));
        Assert.That(usual.Reading!.ConfidentScore, Is.EqualTo(threshold));
        int half = IsDino(layout) ? 400 : side / 2;
        using ObjectDetector asked = ObjectDetector.Load(graph.Save(_folder.Sub("model.onnx")), new ObjectDetectorOptions
        {
            Format = FamilyOf(graph),
            Prompts = Told(_folder, graph, "red"),
            InputWidth = half,
            InputHeight = half,
            ConfidentScore = 0.7,
        });
        Assert.That(asked.Reading!.ConfidentScore, Is.EqualTo(0.7));
        // Half the size has half the cells: each is a quarter of the side.
        RgbImage picture = DrawnImages.Plain(400, 400, 120, 120, 120);
        DrawnImages.Fill(picture, 100, 200, 100, 100, Red);
        AreAt(Sure(asked, picture), 100, 100, ("red", 1, 2));
    }

    [TestCase(PromptedLayout.OwlVit, 840)]
    [TestCase(PromptedLayout.OwlV2, 1008)]
    public void AnOpenSizeThatIsNone_IsThatOfTheLargeModel_WhereThePublishedOneFails(PromptedLayout layout, int side)
    {
        PromptedGraph graph = Of(layout, isOpen: true) with { HasPositions = true, CellSide = side / 8 };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red));
        using (ObjectDetector detector = Load(graph, FamilyOf(graph), "red"))
        {
            Assert.That((detector.InputWidth, detector.InputHeight), Is.EqualTo((side, side)));
            AreAt(Sure(detector, picture), width, height, ("red", 1, 2));
        }

        graph = graph with { CellSide = 50 };
        Assert.That(() => Load(graph, FamilyOf(graph), "red"), Throws.InvalidOperationException.With.Message
            .Contains("the options InputWidth and InputHeight"));
    }

    private static PromptedGraph Of(PromptedLayout layout, bool isOpen) => new(layout)
    {
        Colours = IsDino(layout) ? BertColours : ClipColours,
        Size = isOpen ? null : layout switch
        {
            PromptedLayout.OwlVit => (768, 768),
            PromptedLayout.OwlV2 => (960, 960),
            PromptedLayout.WorldScores or PromptedLayout.WorldColumns => (640, 640),
            _ => (800, 800),
        },
    };

    private static bool IsDino(PromptedLayout layout) => layout is PromptedLayout.HuggingFaceDino or PromptedLayout.IdeaDino;

    /// <summary>The format that has to be named: an OWL of open size says nowhere which one it is.</summary>
    private static OnnxDetectorFormat FamilyOf(PromptedGraph graph) => graph.Layout switch
    {
        PromptedLayout.OwlVit when graph.Size is null => OnnxDetectorFormat.OwlVit,
        PromptedLayout.OwlV2 when graph.Size is null => OnnxDetectorFormat.OwlV2,
        _ => OnnxDetectorFormat.Auto,
    };

    private static Dictionary<string, string> Renamed(Func<int, string> name) => ((string[])["pixel_values", "samples", "images",
        "input_ids", "attention_mask", "token_type_ids", "position_ids", "text_token_mask", "pixel_mask", "text_features", "txt_feats",
        "logits", "boxes", "pred_boxes", "scores", "output", "text_embeds", "last_hidden_state", "objectness_logits", "feature_map",
        "count"]).Select((published, i) => (published, i)).ToDictionary(pair => pair.published, pair => name(pair.i));

    private ObjectDetector Load(PromptedGraph graph, OnnxDetectorFormat format, params string[] prompts)
        => ObjectDetector.Load(graph.Save(_folder.Sub("model.onnx")),
            new ObjectDetectorOptions { Format = format, Prompts = Told(_folder, graph, prompts) });
}
