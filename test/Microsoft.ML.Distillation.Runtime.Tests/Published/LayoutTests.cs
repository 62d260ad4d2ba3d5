using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>A layout that the user describes, in C# and as a file; all for an input of 64 × 64.</summary>
public class LayoutTests
{
    private const int Cells = 84;
    private static readonly float[] Box = [8, 28, 40, 44];

    private TeacherGraph _graph = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeGraph() => (_graph, _folder) = (new TeacherGraph(), new TemporaryFolder());

    [TearDown]
    public void DeleteGraph()
    {
        _graph.Dispose();
        _folder.Dispose();
    }

    [TestCase("corners", new[] { 8f, 28, 40, 44 })]
    [TestCase("corners-rows-first", new[] { 28f, 8, 44, 40 })]
    [TestCase("centre-and-size", new[] { 24f, 36, 32, 16 })]
    [TestCase("corner-and-size", new[] { 8f, 28, 32, 16 })]
    public void Forms_OfBoxes(string form, float[] box)
    {
        _graph.Output("rows", [.7f, 1, .. box], [1, 6]);

        Expect(Read($"boxes: {{ column: 2, form: {form} }}\nscore: 0\nlabel: 1"), [0, .7f]);
    }

    [TestCase("pixels", 1, 1)]
    [TestCase("shares", 64, 64)]
    public void Units_OfBoxes(string unit, float width, float height)
    {
        _graph.Output("rows", [8 / width, 28 / height, 40 / width, 44 / height, .7f, 1], [1, 6]);

        Expect(Read($"boxes: {{ unit: {unit} }}\nscore: 4\nlabel: {{ column: 5, first: 0 }}"), [0, .7f]);
    }

    /// <summary>A picture of 200 × 100 in a letterbox: the model is told its size, and boxes come in its pixels.</summary>
    [Test]
    public void Units_OfThePicture()
    {
        _graph.Input("orig_target_sizes", false, 1, 2).Output("rows", [25, 50, 125, 75, .7f, 1], [1, 6]).Told("told", "orig_target_sizes");
        var options = new OnnxDetectorOptions
        {
            Layout = Layout("boxes: { tensor: rows, unit: picture-pixels }\nscore: { tensor: rows, column: 4 }\n"
                + "label: { tensor: rows, column: 5 }"),
            Preprocessing = new OnnxPreprocessing { Fit = ImageFit.LetterboxCentred },
        };

        DensePredictions found = _graph.Predict(OnnxDetectorFormat.Auto, 2, options, new ImageSize(200, 100));

        Assert.That(found.Boxes, Is.EqualTo(new[] { .125f, .5f, .625f, .75f }).AsCollection.Within(1e-5f));
    }

    [Test]
    public void Cells_AsYoloXHasThem()
    {
        var rows = new float[Cells * 7];
        for (int cell = 0; cell < Cells; cell++) rows[7 * cell + 4] = -9;
        // The second level, third row, second column; objectness σ(0) = ½, classes σ(0) and σ(ln 3).
        float[] row = [.5f, .25f, MathF.Log(2), 0, 0, 0, MathF.Log(3)];
        row.CopyTo(rows, (64 + 2 * 4 + 1) * 7);
        _graph.Output("output", rows, [Cells, 7]);

        Expect(Read("""
            boxes: { form: centre-and-size, unit: cells, logarithmic-sizes: true, strides: [8, 16, 32] }
            objectness: { column: 4, activation: sigmoid }
            classes: { column: 5, activation: sigmoid }
            """), [.25f, .375f]);
    }

    /// <summary>Levels of their own, channels before cells, and distances from the middle of the cell.</summary>
    [Test]
    public void Distances_OfLevelsApart()
    {
        foreach (int stride in new[] { 8, 16, 32 })
        {
            int across = 64 / stride, cells = across * across;
            float[] scores = new float[2 * cells], distances = new float[4 * cells];
            // From (24, 40): left 1, top ¾, right 1, bottom ¼ strides of 16.
            float[] box = [1, .75f, 1, .25f];
            for (int k = 0; stride == 16 && k < 4; k++) distances[k * cells + 2 * 4 + 1] = box[k];
            if (stride == 16) scores[cells + 2 * 4 + 1] = .7f;
            _graph.Output($"cls{stride}", scores, [2, across, across]).Output($"reg{stride}", distances, [4, across, across]);
        }

        Expect(Read("""
            boxes:
              tensor: [reg8, reg16, reg32]
              transposed: true
              form: distances
              unit: cells
              cell-offset: 0.5
            classes:
              tensor: [cls8, cls16, cls32]
              transposed: true
            """), [0, .7f]);
    }

    [TestCase("first", new[] { 9f, 0, 1 }, new[] { 9f, 1, 2 })]
    [TestCase("last", new[] { 0f, 1, 9 }, new[] { 1f, 2, 9 })]
    public void Background_IsFirstOrLast_OfASoftmax(string background, float[] nothing, float[] something)
    {
        float[] logits = [.. nothing, .. something.Select(value => value == 9 ? MathF.Log(2) : value == 2 ? MathF.Log(6) : 0)];
        _graph.Output("boxes", [0, 0, 64, 64, .. Box], [2, 4]).Output("logits", logits, [2, 3]);

        // 2 : 1 : 6 of 9.
        Expect(Read($"classes: {{ activation: softmax, background: {background} }}"), [1f / 9, 6f / 9], among: 2);
    }

    [Test]
    public void Lists_AreFound_ByTheirTypesAndNames_AndCounted()
    {
        _graph.IntegersPerImage("n", [1], 1).Output("b", [.. Box, 0, 0, 9, 9], [2, 4]).Output("s", [.7f, .9f], [2])
            .IntegersPerImage("l", [2, 1], 2);

        Expect(Read("label: { first: 1 }\nscore: {}\ncount: n"), [0, .7f]);
    }

    [Test]
    public void Rows_OfAllImages_NumberThem()
    {
        using var graph = new TeacherGraph(batch: "N");
        graph.Rows("rows", [0, .7f, 1, .. Box, 1, .9f, 0, .. Box], 2, 7);
        OnnxDetectorLayout layout = Layout("image: 0\nscore: 1\nlabel: 2\nboxes: 3");

        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Layout = layout }), [0, .7f]);
    }

    [Test]
    public void OfSuppressedDetectors_NothingIsSuppressed_AndOthersMaySuppressAcrossClasses()
    {
        _graph.Output("rows", [.. Box, .7f, 0, .. Box, .6f, 0, .. Box, .5f, 1], [3, 6]);
        OnnxDetectorLayout layout = Layout("score: 4\nlabel: 5");

        Assert.That(Count(new() { Layout = layout }), Is.EqualTo(2));
        Assert.That(Count(new() { Layout = layout with { IsSuppressed = true } }), Is.EqualTo(3));
        Assert.That(Count(new() { Layout = layout, ClassAgnosticSuppression = true }), Is.EqualTo(1));

        int Count(OnnxDetectorOptions options)
        {
            using PublishedDetector detector = _graph.Load(OnnxDetectorFormat.Layout, 2, options);
            return detector.Suppress(detector.Run(new float[3 * 64 * 64], [new ImageSize(64, 64)])[0].Predictions).Count;
        }
    }

    [Test]
    public void Options_GoBeforeTheLayout()
    {
        _graph.Output("rows", [.. Box, 0, 1], [1, 6]);
        OnnxDetectorLayout layout = Layout("score: 4\nlabel: 5");

        Expect(_graph.Predict(OnnxDetectorFormat.Auto, 2,
            new OnnxDetectorOptions { Layout = layout, Activation = ScoreActivation.Sigmoid, FirstLabel = 1 }), [.5f, 0]);
    }

    [TestCase("score: 4", "boxes", TestName = "Two outputs have boxes")]
    [TestCase("boxes: one\nscore: { tensor: nobody }\nlabel: 5", "no output 'nobody'", TestName = "An output is missing")]
    [TestCase("boxes: one\nclasses: { tensor: one, column: 5 }", "has 6", TestName = "Columns are missing")]
    [TestCase("boxes: { tensor: one, form: distances, unit: cells }\nscore: { tensor: one, column: 4 }", "cells of the strides",
        TestName = "No grid")]
    public void WhatTheOutputsAreNot_IsSaid(string yaml, string said)
    {
        _graph.Output("one", [.. Box, .7f, 1], [1, 6]).Output("two", [.. Box, .7f, 1], [1, 6]);

        Assert.That(() => _graph.Load(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Layout = Layout(yaml) }),
            Throws.TypeOf<FormatException>().With.Message.Contains("option Layout").And.Message.Contains(said).IgnoreCase
                .And.Message.Contains("'one' [1, 6]"));
    }

    [TestCase("boxes: {}\nscore: 4\nlable: 5", "(3): the layout has no member 'lable'; is 'label' meant?")]
    [TestCase("score: 4\nboxes:\n  form: corners\n  units: pixels", "(4): 'boxes' has no member 'units'; is 'unit' meant?")]
    [TestCase("score: 4\nboxes: { form: corner }", "(2): 'corner' is none of corners, corners-rows-first")]
    [TestCase("score: 4\nscore: 5", "(2): the member 'score' is there twice")]
    [TestCase("score: 4\nboxes: { column: many }", "(2): 'many' is no whole number")]
    [TestCase("boxes: 0", "(1): it has neither Classes nor a Score")]
    [TestCase("score: 4\nclasses: 5", "it has Classes and a Score")]
    [TestCase("score: 4\nboxes: { unit: cells }", "Cells go with")]
    [TestCase("score: { column: -1 }", "a column is below 0")]
    [TestCase("score:", "'score' is empty")]
    [TestCase("- 4", "the layout is expected as members")]
    [TestCase("score: [4", "no well-formed YAML")]
    public void Faults_OfTheFile_AreNamed_WithTheirLine(string yaml, string said)
    {
        string path = _folder.Write("layout.yaml", yaml);

        Assert.That(() => OnnxDetectorLayout.Load(path), Throws.TypeOf<FormatException>().With.Message.Contains(said)
            .And.Message.StartsWith(path));
    }

    [Test]
    public void TheLayoutsThatDocsShow_CanBeRead()
    {
        string docs = File.ReadAllText(Path.Combine(TestData.Repository(), "docs", "onnx-teachers.md"));
        string[] shown = [.. docs.Split('\n').Where(line => line.Contains("<br>", StringComparison.Ordinal))
            .Select(line => line.TrimEnd(' ', '|').Split(" | ")[^1])
            .Select(cell => cell.Replace("<br>", "\n", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal))];

        Assert.That(shown, Has.Length.EqualTo(4));
        foreach (string yaml in shown) Assert.That(() => Layout(yaml), Throws.Nothing, yaml);
    }

    [Test]
    public void Layout_IsRefused_BesideAFormatOrADecoder()
    {
        _graph.Output("rows", [.. Box, .7f, 1], [1, 6]);
        OnnxDetectorLayout layout = Layout("score: 4\nlabel: 5");

        Assert.That(() => _graph.Load(OnnxDetectorFormat.Ssd, 2, new OnnxDetectorOptions { Layout = layout }), Throws.ArgumentException);
        Assert.That(() => _graph.Load(OnnxDetectorFormat.Layout, 2), Throws.ArgumentException.With.Message.Contains("option Layout"));
        Assert.That(() => _graph.Load(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions
        {
            Layout = layout,
            Decoder = _ => new OnnxPredictions([], []),
        }), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => _graph.Load(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Layout = new() }),
            Throws.ArgumentException.With.Message.Contains("neither Classes nor a Score"));
    }

    [Test]
    public void Fingerprint_KnowsTheLayout()
    {
        _graph.Output("rows", [.. Box, .7f, 1], [1, 6]);
        string path = _graph.Save();
        string Of(string yaml) => OnnxFingerprint
            .Of(path, OnnxDetectorFormat.Auto, ["a", "b"], new OnnxDetectorOptions { Layout = Layout(yaml) });

        Assert.That(Of("score: 4\nlabel: 5"), Is.Not.EqualTo(Of("score: 4\nlabel: { column: 5, first: 1 }")));
        Assert.That(Of("score: 4\nlabel: 5"), Is.EqualTo(Of("label: 5\nscore: { column: 4 }")));
    }

    private DensePredictions Read(string yaml)
        => _graph.Predict(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Layout = Layout(yaml) });

    private OnnxDetectorLayout Layout(string yaml) => OnnxDetectorLayout.Load(_folder.Write($"{Guid.NewGuid():N}.yaml", yaml));

    private static void Expect(DensePredictions predictions, float[] probabilities, int among = 1)
    {
        Assert.That(predictions.Count, Is.EqualTo(1).Or.EqualTo(among));
        Assert.That(predictions.Boxes[^4..], Is.EqualTo(Box.Select(pixel => pixel / TeacherGraph.Size)).AsCollection.Within(1e-5f));
        Assert.That(predictions.Probabilities[^2..], Is.EqualTo(probabilities).AsCollection.Within(1e-5f));
    }
}
