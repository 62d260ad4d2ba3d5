using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Teachers.OnnxDetectors;

namespace Microsoft.ML.Distillation.Tests.Teachers.OnnxDetectors;

/// <summary>Each format in its exact layout, for an input of 64 × 64: strides 8, 16 and 32 have 64 + 16 + 4 = 84 cells.</summary>
public class DecoderTests
{
    private const int Cells = 84;
    private const float None = -100;

    private TeacherGraph _graph = null!;

    [SetUp]
    public void MakeGraph() => _graph = new TeacherGraph();

    [TearDown]
    public void DeleteGraph() => _graph.Dispose();

    [Test]
    public void YoloX_AddsItsCell_AndRaisesTheExponential([Values(TeacherFormat.YoloX, TeacherFormat.Auto)] TeacherFormat format)
    {
        var rows = new float[Cells * 7];
        // The second level, third row, second column: (1 + .5)·16 = 24, (2 + .25)·16 = 36, e^(ln 2)·16 = 32, e^0·16 = 16.
        float[] row = [.5f, .25f, MathF.Log(2), 0, .8f, .5f, .9f];
        row.CopyTo(rows, (64 + 2 * 4 + 1) * 7);
        _graph.Output("output", rows, [Cells, 7]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void YoloV5_HasPixels([Values(TeacherFormat.YoloV5, TeacherFormat.Auto)] TeacherFormat format, [Values(Cells, 3 * Cells)] int count)
    {
        var rows = new float[count * 7];
        float[] row = [24, 36, 32, 16, .8f, .5f, .9f];
        row.CopyTo(rows, 5 * 7);
        _graph.Output("output0", rows, [count, 7]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void YoloV8_HasARowForEachValue_OrForEachPrediction(
        [Values(TeacherFormat.YoloV8, TeacherFormat.Auto)] TeacherFormat format, [Values] bool transposed)
    {
        float[] column = [24, 36, 32, 16, .4f, .72f];
        var values = new float[Cells * 6];
        for (int k = 0; k < 6; k++) values[transposed ? 7 * 6 + k : k * Cells + 7] = column[k];
        _graph.Output("output0", values, transposed ? [Cells, 6] : [6, Cells]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void NanoDetPlus_TakesTheMeanOfItsBins_FromTheCellsCorner([Values(TeacherFormat.Gfl, TeacherFormat.Auto)] TeacherFormat format)
    {
        const int columns = 2 + 32;
        var rows = new float[Cells * columns];
        int at = (64 + 1 * 4 + 1) * columns;
        (rows[at], rows[at + 1]) = (.3f, .6f);
        Distances().CopyTo(rows, at + 2);
        _graph.Output("output", rows, [Cells, columns]);

        // From (16, 16), in strides of 16: ½, 1, 2½, 2.
        Expect(_graph.Predict(format, classes: 2), [8, 0, 56, 48], [.3f, .6f]);
    }

    [Test]
    public void NanoDet_HasItsLevelsApart_AndCentredCells([Values] bool maps)
    {
        foreach (int stride in new[] { 8, 16, 32 })
        {
            int across = 64 / stride, cells = across * across;
            float[] scores = new float[cells * 2], distances = new float[cells * 32];
            if (stride == 16)
            {
                float[] score = [.3f, .6f], distance = Distances();
                for (int c = 0; c < 2; c++) scores[maps ? c * cells + 5 : 5 * 2 + c] = score[c];
                for (int c = 0; c < 32; c++) distances[maps ? c * cells + 5 : 5 * 32 + c] = distance[c];
            }

            _graph.Output($"cls_pred_stride_{stride}", scores, maps ? [2, across, across] : [cells, 2]);
            _graph.Output($"dis_pred_stride_{stride}", distances, maps ? [32, across, across] : [cells, 32]);
        }

        // From (24, 24).
        Expect(_graph.Predict(TeacherFormat.Auto, classes: 2), [16, 8, 64, 56], [.3f, .6f]);
        Expect(_graph.Predict(TeacherFormat.Gfl, classes: 2, new OnnxTeacherOptions { CellOffset = 0 }), [8, 0, 56, 48], [.3f, .6f]);
    }

    [Test]
    public void Gfl_TakesLogits_ForLogits()
    {
        const int columns = 2 + 32;
        var rows = new float[Cells * columns];
        for (int i = 0; i < Cells; i++) (rows[i * columns], rows[i * columns + 1]) = (-9, -9);
        int at = (64 + 1 * 4 + 1) * columns;
        (rows[at], rows[at + 1]) = (0, MathF.Log(3));
        Distances().CopyTo(rows, at + 2);
        _graph.Output("output", rows, [Cells, columns]);

        Expect(_graph.Predict(TeacherFormat.Gfl, classes: 2), [8, 0, 56, 48], [.5f, .75f]);
    }

    [Test]
    public void Detr_TakesTheSoftmax_WithNoObjectLast([Values(TeacherFormat.Detr, TeacherFormat.Auto)] TeacherFormat format)
    {
        // e^x of 1, 6, 3 and 1, 1, 98.
        _graph.Output("logits", [0, MathF.Log(6), MathF.Log(3), 0, 0, MathF.Log(98)], [2, 3]);
        _graph.Output("pred_boxes", [.375f, .5625f, .5f, .25f, .5f, .5f, .1f, .1f], [2, 4]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.1f, .6f]);
    }

    [Test]
    public void RtDetr_TakesSigmoids()
    {
        _graph.Output("logits", [0, MathF.Log(3), -9, -9], [2, 2]);
        _graph.Output("pred_boxes", [.375f, .5625f, .5f, .25f, .5f, .5f, .1f, .1f], [2, 4]);

        Expect(_graph.Predict(TeacherFormat.Auto, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
    }

    [Test]
    public void RtDetr_MayHaveBoxesAndProbabilitiesInOneOutput()
    {
        _graph.Output("output0", [.375f, .5625f, .5f, .25f, .5f, .75f, .5f, .5f, .1f, .1f, .01f, .02f], [2, 6]);

        Expect(_graph.Predict(TeacherFormat.Auto, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
    }

    [Test]
    public void Ssd_HasBackgroundFirst([Values(TeacherFormat.Ssd, TeacherFormat.Auto)] TeacherFormat format)
    {
        _graph.Output("scores", [.9f, .05f, .05f, .3f, .1f, .6f], [2, 3]);
        _graph.Output("boxes", [0, 0, 1, 1, .125f, .4375f, .625f, .6875f], [2, 4]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.1f, .6f]);
    }

    [Test]
    public void Ssd_MayHaveNoBackground_OrLogits()
    {
        _graph.Output("confidences", [MathF.Log(1), MathF.Log(3), -9, -9], [2, 2]);
        _graph.Output("locations", [.125f, .4375f, .625f, .6875f, 0, 0, 1, 1], [2, 4]);

        Expect(_graph.Predict(TeacherFormat.Ssd, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
    }

    [Test]
    public void Torchvision_CountsLabelsFromOne_UnlessTheNamesBeginWithBackground()
    {
        using var graph = new TeacherGraph(noBatch: true);
        graph.Output("boxes", [8, 28, 40, 44, 0, 0, 9, 9], [2, 4]).Integers("labels", 2, 1).Output("scores", [.7f, .01f], [2]);

        Expect(graph.Predict(TeacherFormat.Auto, classes: 2), [8, 28, 40, 44], [0, .7f]);
        Expect(graph.Predict(TeacherFormat.Torchvision, classes: 3, new OnnxTeacherOptions { FirstLabel = 0 }), [8, 28, 40, 44], [0, 0, .7f]);
        using var detector = new OnnxDetector(graph.Save(), TeacherFormat.Auto, ["__background__", "cat", "dog"], new OnnxTeacherOptions());
        using TorchSharp.torch.Tensor image = TorchSharp.torch.zeros(1, 3, 64, 64);
        Expect(detector.Run(image, null)[0].Predictions, [8, 28, 40, 44], [0, 0, .7f]);
    }

    [Test]
    public void FastestDet_MultipliesObjectnessAndClass([Values(TeacherFormat.FastestDet, TeacherFormat.Auto)] TeacherFormat format)
    {
        // Cell (2, 1) of 4 × 4: x = (1 + tanh(artanh ½)) / 4 = .375, y = 2 / 4, width σ(0) = ½, height σ(ln ⅓) = ¼.
        float[] cell = [.9f, MathF.Atanh(.5f), 0, 0, MathF.Log(1f / 3), .2f, .8f];
        var map = new float[7 * 16];
        for (int k = 0; k < 7; k++) map[k * 16 + 2 * 4 + 1] = cell[k];
        _graph.Output("758", map, [7, 4, 4]);

        DensePredictions predictions = _graph.Predict(format, classes: 2);

        Expect(predictions, [8, 24, 40, 40], [.18f, .72f]);
        Assert.That(predictions.Confidences[0], Is.EqualTo(Math.Pow(.9, .6) * Math.Pow(.8, .4)).Within(1e-5));
    }

    [Test]
    public void Custom_IsWhatTheDelegateSays()
    {
        _graph.Output("anything", [8, 28, 40, 44, .3f], [5]);
        var options = new OnnxTeacherOptions
        {
            Decoder = outputs => new TeacherPredictions(outputs["anything"].Values[..4].ToArray(), [.1f, outputs["anything"].Values.Span[4]]),
        };

        Expect(_graph.Predict(TeacherFormat.Auto, classes: 2, options), [8, 28, 40, 44], [.1f, .3f]);
        Assert.That(() => _graph.Predict(TeacherFormat.Custom, classes: 3, options), Throws.InvalidOperationException.With.Message.Contains("2 probabilities"));
        Assert.That(() => _graph.Predict(TeacherFormat.Custom, classes: 2), Throws.ArgumentException.With.Message.Contains("Decoder"));
    }

    [Test]
    public void Auto_SaysWhatItSaw_WhereSeveralFormatsFit()
    {
        _graph.Output("a", [.1f, .2f, .3f, .4f], [1, 4]).Output("b", [-2, 3], [1, 2]);

        Assert.That(() => _graph.Predict(TeacherFormat.Auto, classes: 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("'a' [1, 4], 'b' [1, 2]").And.Message.Contains("Detr (").And.Message.Contains("Ssd (")
            .And.Message.Not.Contains("YoloX"));
    }

    [Test]
    public void Auto_SaysWhatItSaw_WhereNoFormatFits()
    {
        _graph.Output("out", new float[21], [7, 3]);

        Assert.That(() => _graph.Predict(TeacherFormat.Auto, classes: 20), Throws.TypeOf<FormatException>()
            .With.Message.Contains("'out' [7, 3]").And.Message.Contains("C = 20").And.Message.Contains("YoloV8"));
        Assert.That(() => _graph.Predict(TeacherFormat.YoloX, classes: 20), Throws.TypeOf<FormatException>().With.Message.Contains("not of the format YoloX"));
    }

    [Test]
    public void Letterbox_IsUndone()
    {
        var values = new float[Cells * 6];
        float[] column = [24, 36, 32, 16, .4f, .72f];
        for (int k = 0; k < 6; k++) values[k * Cells + 7] = column[k];
        _graph.Output("output0", values, [6, Cells]);

        // An image twice as wide as high covers rows 16 to 48 in the middle, 0 to 32 at the top.
        Expect(_graph.Predict(TeacherFormat.YoloV8, 2, size: new ImageSize(200, 100)), [8, (28 - 16) * 2, 40, (44 - 16) * 2], [.4f, .72f]);
        var topLeft = new OnnxTeacherOptions { Preprocessing = TeacherPreprocessing.For(TeacherFormat.YoloV8) with { Fit = ImageFit.LetterboxTopLeft } };
        Expect(_graph.Predict(TeacherFormat.YoloV8, 2, topLeft, new ImageSize(200, 100)), [8, 56, 40, 64], [.4f, .72f]);
        var stretched = new OnnxTeacherOptions { Preprocessing = new TeacherPreprocessing() };
        Expect(_graph.Predict(TeacherFormat.YoloV8, 2, stretched, new ImageSize(200, 100)), [8, 28, 40, 44], [.4f, .72f]);
    }

    /// <summary>Distributions whose means are ½, 1, 2½ and 2.</summary>
    private static float[] Distances()
    {
        var logits = new float[32];
        Array.Fill(logits, None);
        foreach (int bin in new[] { 0, 1, 8 + 1, 16 + 2, 16 + 3, 24 + 2 }) logits[bin] = 0;
        return logits;
    }

    private static void Expect(DensePredictions predictions, float[] pixels, float[] probabilities)
    {
        Assert.That(predictions.Count, Is.EqualTo(1));
        Assert.That(predictions.Boxes, Is.EqualTo(pixels.Select(pixel => pixel / TeacherGraph.Size)).AsCollection.Within(1e-5f));
        Assert.That(predictions.Probabilities, Is.EqualTo(probabilities).AsCollection.Within(1e-5f));
    }
}
