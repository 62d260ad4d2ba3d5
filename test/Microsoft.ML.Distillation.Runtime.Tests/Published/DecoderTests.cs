using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Tests.Published;

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
    public void YoloX_AddsItsCell_AndRaisesTheExponential(
        [Values(OnnxDetectorFormat.YoloX, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
    {
        var rows = new float[Cells * 7];
        // The second level, third row, second column: (1 + .5)·16 = 24, (2 + .25)·16 = 36, e^(ln 2)·16 = 32, e^0·16 = 16.
        float[] row = [.5f, .25f, MathF.Log(2), 0, .8f, .5f, .9f];
        row.CopyTo(rows, (64 + 2 * 4 + 1) * 7);
        _graph.Output("output", rows, [Cells, 7]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [TestCase(OnnxDetectorFormat.YoloV5, Cells)]
    [TestCase(OnnxDetectorFormat.YoloV5, 3 * Cells)]
    [TestCase(OnnxDetectorFormat.Auto, 3 * Cells)]
    public void YoloV5_HasPixels_OfThreeAnchorsInACell(OnnxDetectorFormat format, int count)
    {
        Rows(count, .8f);
        using PublishedDetector detector = _graph.Load(format, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloV5));
        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void YoloX_MayBeDecoded_AndSeesWhatYoloXSees(
        [Values(OnnxDetectorFormat.YoloX, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
    {
        Rows(Cells, .8f);
        using PublishedDetector detector = _graph.Load(format, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloX));
        Assert.That((detector.Preprocessing.Scale, detector.Preprocessing.Channels, detector.Preprocessing.Fit,
            detector.Preprocessing.Fill),
            Is.EqualTo((1f, ChannelOrder.Bgr, ImageFit.LetterboxTopLeft, 114f)));
        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void YoloV6_IsToldFromYoloX_ByAnObjectnessOfOne()
    {
        Rows(Cells, 1, elsewhere: 1);
        using PublishedDetector detector = _graph.Load(OnnxDetectorFormat.Auto, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloV5));
        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [.5f, .9f]);
    }

    [Test]
    public void Auto_DoesNotGuess_BetweenYoloV5AndDecodedYoloX_WhereTheRowsAreNoGrid()
    {
        Rows(50, .8f);

        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Auto, classes: 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("YoloX (").And.Message.Contains("BGR from 0 to 255").And.Message.Contains("YoloV5 (").And.Message
                .Contains("RGB from 0 to 1"));
        Expect(_graph.Predict(OnnxDetectorFormat.YoloX, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void EndToEnd_HasDetectionsInRows([Values(OnnxDetectorFormat.YoloEndToEnd, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format,
        [Values(1, 2, 3)] int classes)
    {
        var rows = new float[300 * 6];
        float[] row = [8, 28, 40, 44, .7f, classes - 1];
        row.CopyTo(rows, 0);
        _graph.Output("output0", rows, [300, 6]);
        using PublishedDetector detector = _graph.Load(format, classes);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloEndToEnd));
        Expect(_graph.Predict(format, classes), [8, 28, 40, 44], [.. Enumerable.Repeat(0f, classes - 1), .7f]);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void EndToEndOfYoloV7_NumbersTheImages(int rows)
    {
        using var graph = new TeacherGraph(noBatch: true);
        float[] values = [0, 8, 28, 40, 44, 1, .7f, 0, 0, 0, 9, 9, 0, .01f];
        graph.Output("output", values[..(7 * rows)], [rows, 7]);
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.Auto, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloEndToEnd));
        if (rows == 0) Assert.That(graph.Predict(OnnxDetectorFormat.Auto, 2).Count, Is.Zero);
        else Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [8, 28, 40, 44], [0, .7f]);
    }

    [Test]
    public void YoloV8_HasARowForEachValue_OrForEachPrediction(
        [Values(OnnxDetectorFormat.YoloV8, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format, [Values] bool transposed)
    {
        float[] column = [24, 36, 32, 16, .4f, .72f];
        var values = new float[Cells * 6];
        for (int k = 0; k < 6; k++) values[transposed ? 7 * 6 + k : k * Cells + 7] = column[k];
        _graph.Output("output0", values, transposed ? [Cells, 6] : [6, Cells]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.4f, .72f]);
    }

    [Test]
    public void NanoDetPlus_TakesTheMeanOfItsBins_FromTheCellsCorner(
        [Values(OnnxDetectorFormat.Gfl, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
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
        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [16, 8, 64, 56], [.3f, .6f]);
        Expect(_graph.Predict(OnnxDetectorFormat.Gfl, classes: 2, new OnnxDetectorOptions { CellOffset = 0 }), [8, 0, 56, 48], [.3f, .6f]);
    }

    /// <summary>MMDetection's GFL has five levels, whose anchors stand at the corners of their cells.</summary>
    [Test]
    public void FiveLevels_AreMMDetections_AndStartAtTheCorner()
    {
        foreach (int stride in new[] { 8, 16, 32, 64, 128 })
        {
            int across = (64 + stride - 1) / stride, cells = across * across;
            float[] scores = new float[cells * 2], distances = new float[cells * 32];
            if (stride == 16)
            {
                float[] score = [.3f, .6f], distance = Distances();
                for (int c = 0; c < 2; c++) scores[c * cells + 5] = score[c];
                for (int c = 0; c < 32; c++) distances[c * cells + 5] = distance[c];
            }

            _graph.Output($"cls_score_{stride}", scores, [2, across, across]);
            _graph.Output($"bbox_pred_{stride}", distances, [32, across, across]);
        }

        // From (16, 16), in strides of 16: ½, 1, 2½, 2.
        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 0, 56, 48], [.3f, .6f]);
        var middle = new OnnxDetectorOptions { CellOffset = .5f };
        Expect(_graph.Predict(OnnxDetectorFormat.Gfl, classes: 2, middle), [16, 8, 64, 56], [.3f, .6f]);
    }

    /// <summary>
    /// An input of 64 pixels in strides of 8 to 64 (or 128) has levels of 64, 16, 4, 1 (and 1) cells: those of one cell each are one level
    /// and not two, in whatever order they come.
    /// </summary>
    [Test]
    public void Gfl_ReadsEachLevelOfOneCell_Once([Values(1, 2)] int ofOneCell, [Values] bool blocks)
    {
        (string Name, float[] Values, long[] Shape)[] outputs = [.. Levels(ofOneCell)];
        if (blocks) outputs = [.. outputs.OrderBy(output => output.Name.StartsWith("dis", StringComparison.Ordinal))];
        foreach ((string name, float[] values, long[] shape) in outputs) _graph.Output(name, values, shape);

        // Its boxes are larger than any image's: a model that is sure of such would be read wrongly.
        var options = new OnnxDetectorOptions { ConfidentScore = 0.9, NoiseScore = 0.1 };
        DensePredictions predictions = _graph.Predict(OnnxDetectorFormat.Auto, classes: 2, options);

        // In the middle of the one cell, in strides of 64 and of 128, one tenth of which reaches beyond the input.
        Assert.That(predictions.Count, Is.EqualTo(ofOneCell));
        Assert.That(predictions.Boxes[..4], Is.EqualTo(new[] { 0, 0, 1f, 1 }).AsCollection.Within(1e-5f));
        Assert.That(predictions.Probabilities, Is.EqualTo(ofOneCell == 1 ? [.3f, .6f] : new[] { .3f, .6f, .5f, .4f }).AsCollection
            .Within(1e-5f));
        Assert.That(predictions.Edges!.Places[1] - predictions.Edges.Places[0], Is.EqualTo(-1).Within(1e-5f),
            "a bin of the first is 64 pixels");
        if (ofOneCell == 2) Assert.That(predictions.Edges.Places[33] - predictions.Edges.Places[32], Is.EqualTo(-2).Within(1e-5f),
            "of the second 128");

        IEnumerable<(string, float[], long[])> Levels(int last)
        {
            foreach (int stride in last == 1 ? new[] { 8, 16, 32, 64 } : [8, 16, 32, 64, 128])
            {
                int cells = Math.Max(1, 64 / stride) * Math.Max(1, 64 / stride);
                yield return ($"cls_{stride}", stride == 64 ? [.3f, .6f] : stride == 128 ? [.5f, .4f] : new float[cells * 2], [cells, 2]);
                yield return ($"dis_{stride}", stride >= 64 ? Distances() : new float[cells * 32], [cells, 32]);
            }
        }
    }

    [Test]
    public void Gfl_ReadsAnInputOf32Pixels_WhoseLastLevelHasOneCell()
    {
        var options = new OnnxDetectorOptions();
        foreach (int stride in new[] { 8, 16, 32 })
        {
            int cells = 32 / stride * (32 / stride);
            _graph.Output($"cls_{stride}", stride == 32 ? [.3f, .6f] : new float[cells * 2], [cells, 2]);
            _graph.Output($"dis_{stride}", stride == 32 ? Distances() : new float[cells * 32], [cells, 32]);
        }

        using var runner = new OnnxRunner(_graph.Save(), [], options);
        IReadOnlyList<OnnxOutput> outputs = runner.Run(new float[3 * 64 * 64], new ImageSize(64, 64))[0].Outputs;
        IReadOnlyList<GflLevel> levels = GflLevels
            .Find(outputs, new DecoderContext(new ImageSize(32, 32), TeacherGraph.Names(2), options, true));

        Assert.That(levels.Select(level => level.Stride), Is.EqualTo(new[] { 8, 16, 32 }));
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

        Expect(_graph.Predict(OnnxDetectorFormat.Gfl, classes: 2), [8, 0, 56, 48], [.5f, .75f]);
    }

    [Test]
    public void Detr_TakesTheSoftmax_WithNoObjectLast([Values(OnnxDetectorFormat.Detr, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
    {
        // e^x of 1, 6, 3 and 1, 1, 98.
        _graph.Output("logits", [0, MathF.Log(6), MathF.Log(3), 0, 0, MathF.Log(98)], [2, 3]);
        _graph.Output("pred_boxes", [.375f, .5625f, .5f, .25f, .5f, .5f, .1f, .1f], [2, 4]);

        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [.1f, .6f]);
    }

    /// <summary>As many logits as classes are RT-DETR's, which sees no mean and deviation; one more is DETR's, which sees
    /// ImageNet's.</summary>
    [Test]
    public void RtDetr_TakesSigmoids_AndSeesPlainShares_DetrDoesNot()
    {
        _graph.Output("logits", [0, MathF.Log(3), -9, -9], [2, 2]);
        _graph.Output("pred_boxes", [.375f, .5625f, .5f, .25f, .5f, .5f, .1f, .1f], [2, 4]);
        using PublishedDetector detector = _graph.Load(OnnxDetectorFormat.Auto, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.RtDetr));
        Sees(detector, ImageFit.Stretch, 1f / 255, [0, 0, 0], [1, 1, 1]);
        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [.5f, .75f]);

        using PublishedDetector deformable = _graph.Load(OnnxDetectorFormat.Detr, 2);
        Sees(deformable, ImageFit.Stretch, 1f / 255, [0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);
        Expect(_graph.Predict(OnnxDetectorFormat.Detr, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
        using PublishedDetector detr = _graph.Load(OnnxDetectorFormat.Detr, 1);
        Assert.That(() => _graph.Load(OnnxDetectorFormat.RtDetr, 1), Throws.TypeOf<FormatException>());
        using PublishedDetector found = _graph.Load(OnnxDetectorFormat.Auto, 1);
        Assert.That((detr.Format, found.Format), Is.EqualTo((OnnxDetectorFormat.Detr, OnnxDetectorFormat.Detr)));
        Sees(found, ImageFit.Stretch, 1f / 255, [0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);
    }

    [Test]
    public void RtDetr_MayEndInLabels_FromZeroOn_InBatches()
    {
        _graph.Output("labels", [1, 0], [2]).Output("boxes", [8, 28, 40, 44, 0, 0, 9, 9], [2, 4]).Output("scores", [.7f, .01f], [2]);
        using PublishedDetector detector = _graph.Load(OnnxDetectorFormat.Auto, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.RtDetr));
        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [0, .7f]);
    }

    [Test]
    public void RtDetr_MayHaveBoxesAndProbabilitiesInOneOutput()
    {
        _graph.Output("output0", [.375f, .5625f, .5f, .25f, .5f, .75f, .5f, .5f, .1f, .1f, .01f, .02f], [2, 6]);

        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
    }

    [Test]
    public void Ssd_HasBackgroundFirst([Values(OnnxDetectorFormat.Ssd, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
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

        Expect(_graph.Predict(OnnxDetectorFormat.Ssd, classes: 2), [8, 28, 40, 44], [.5f, .75f]);
    }

    /// <summary>The ONNX model zoo's SSD, in a batch; boxes without one are read so too.</summary>
    [Test]
    public void Ssd_MayEndInLabels_BesideShares([Values] bool batch)
    {
        using var graph = new TeacherGraph(noBatch: !batch);
        graph.Output("bboxes", [.125f, .4375f, .625f, .6875f, 0, 0, 1.1f, 1], [2, 4]).Output("labels", [2, 1], [2])
            .Output("scores", [.7f, .01f], [2]);
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.Auto, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.Ssd));
        Expect(graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [0, .7f]);
        Expect(graph.Predict(OnnxDetectorFormat.Torchvision, classes: 2, new OnnxDetectorOptions { FirstLabel = 1 }), [8, 28, 40, 44],
            [0, .7f]);
    }

    [Test]
    public void LabelledBoxesOfABatch_ThatAreAllEmpty_AreNotGuessedAt()
    {
        _graph.Output("boxes", new float[8], [2, 4]).Output("labels", [0, 0], [2]).Output("scores", [0, 0], [2]);

        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Auto, classes: 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("Ssd (").And.Message.Contains("RtDetr (").And.Message.Contains("Torchvision ("));
    }

    [Test]
    public void TensorFlow_HasRowsBeforeColumns_InShares_AndLabelsFromOne(
        [Values(OnnxDetectorFormat.TensorFlow, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
    {
        _graph.Output("detection_boxes:0", [.4375f, .125f, .6875f, .625f, 0, 0, 0, 0], [2, 4]).Output("detection_classes:0", [2, 1], [2])
            .Output("detection_scores:0", [.7f, 0], [2]).Output("num_detections:0", [1], [])
                .Output("raw_detection_boxes", [0, 0, 1, 1], [1, 4]);
        using PublishedDetector detector = _graph.Load(format, 2);

        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.TensorFlow));
        Sees(detector, ImageFit.Stretch, 1, [0, 0, 0], [1, 1, 1]);
        Expect(_graph.Predict(format, classes: 2), [8, 28, 40, 44], [0, .7f]);
    }

    [Test]
    public void Torchvision_CountsLabelsFromOne_UnlessTheNamesBeginWithBackground()
    {
        using var graph = new TeacherGraph(noBatch: true);
        graph.Output("boxes", [8, 28, 40, 44, 0, 0, 9, 9], [2, 4]).Integers("labels", 2, 1).Output("scores", [.7f, .01f], [2]);

        Expect(graph.Predict(OnnxDetectorFormat.Auto, classes: 2), [8, 28, 40, 44], [0, .7f]);
        Expect(graph.Predict(OnnxDetectorFormat.Torchvision, classes: 3, new OnnxDetectorOptions { FirstLabel = 0 }), [8, 28, 40, 44],
            [0, 0, .7f]);
        using var detector = new PublishedDetector(graph.Save(), OnnxDetectorFormat.Auto, ["__background__", "cat", "dog"],
            new OnnxDetectorOptions());
        Expect(detector.Run(new float[3 * 64 * 64], [new ImageSize(64, 64)])[0].Predictions, [8, 28, 40, 44], [0, 0, .7f]);
    }

    [Test]
    public void FastestDet_MultipliesObjectnessAndClass(
        [Values(OnnxDetectorFormat.FastestDet, OnnxDetectorFormat.Auto)] OnnxDetectorFormat format)
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
        var options = new OnnxDetectorOptions
        {
            Decoder = outputs => new OnnxPredictions(outputs["anything"].Values[..4].ToArray(), [.1f, outputs["anything"].Values.Span[4]]),
        };

        Expect(_graph.Predict(OnnxDetectorFormat.Auto, classes: 2, options), [8, 28, 40, 44], [.1f, .3f]);
        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Custom, classes: 3, options),
            Throws.InvalidOperationException.With.Message.Contains("2 probabilities"));
        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Custom, classes: 2), Throws.ArgumentException.With.Message.Contains("Decoder"));
    }

    [Test]
    public void Auto_SaysWhatItSaw_WhereSeveralFormatsFit()
    {
        _graph.Output("a", [.1f, .2f, .3f, .4f], [1, 4]).Output("b", [-2, 3], [1, 2]);

        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Auto, classes: 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains("'a' [1, 4], 'b' [1, 2]").And.Message.Contains("Detr (").And.Message.Contains("Ssd (")
            .And.Message.Not.Contains("YoloX"));
    }

    [Test]
    public void Auto_SaysWhatItSaw_WhereNoFormatFits()
    {
        _graph.Output("out", new float[21], [7, 3]);

        Assert.That(() => _graph.Predict(OnnxDetectorFormat.Auto, classes: 20), Throws.TypeOf<FormatException>()
            .With.Message.Contains("'out' [7, 3]").And.Message.Contains("C = 20").And.Message.Contains("YoloV8"));
        Assert.That(() => _graph.Predict(OnnxDetectorFormat.YoloX, classes: 20),
            Throws.TypeOf<FormatException>().With.Message.Contains("not of the format YoloX"));
    }

    [Test]
    public void Letterbox_IsUndone()
    {
        var values = new float[Cells * 6];
        float[] column = [24, 36, 32, 16, .4f, .72f];
        for (int k = 0; k < 6; k++) values[k * Cells + 7] = column[k];
        _graph.Output("output0", values, [6, Cells]);

        // An image twice as wide as high covers rows 16 to 48 in the middle, 0 to 32 at the top.
        Expect(_graph.Predict(OnnxDetectorFormat.YoloV8, 2, size: new ImageSize(200, 100)), [8, (28 - 16) * 2, 40, (44 - 16) * 2],
            [.4f, .72f]);
        var topLeft = new OnnxDetectorOptions
        {
            // At the top the box is in the bar.
            ConfidentScore = 0.9,
            NoiseScore = 0.1,
            Preprocessing = OnnxPreprocessing
            .For(OnnxDetectorFormat.YoloV8) with
            { Fit = ImageFit.LetterboxTopLeft }
        };
        Expect(_graph.Predict(OnnxDetectorFormat.YoloV8, 2, topLeft, new ImageSize(200, 100)), [8, 56, 40, 64], [.4f, .72f]);
        var stretched = new OnnxDetectorOptions { Preprocessing = new OnnxPreprocessing() };
        Expect(_graph.Predict(OnnxDetectorFormat.YoloV8, 2, stretched, new ImageSize(200, 100)), [8, 28, 40, 44], [.4f, .72f]);
    }

    /// <summary>Distributions whose means are ½, 1, 2½ and 2.</summary>
    private static float[] Distances()
    {
        var logits = new float[32];
        Array.Fill(logits, None);
        foreach (int bin in new[] { 0, 1, 8 + 1, 16 + 2, 16 + 3, 24 + 2 }) logits[bin] = 0;
        return logits;
    }

    /// <summary>Rows of YOLO's in pixels, of which the sixth predicts.</summary>
    private void Rows(int count, float objectness, float elsewhere = 0)
    {
        var rows = new float[count * 7];
        for (int i = 0; i < count; i++) rows[7 * i + 4] = elsewhere;
        float[] row = [24, 36, 32, 16, objectness, .5f, .9f];
        row.CopyTo(rows, 5 * 7);
        _graph.Output("output0", rows, [count, 7]);
    }

    private static void Sees(PublishedDetector detector, ImageFit fit, float scale, float[] mean, float[] deviation)
    {
        OnnxPreprocessing seen = detector.Preprocessing;
        Assert.That((seen.Fit, seen.Channels, seen.Scale), Is.EqualTo((fit, ChannelOrder.Rgb, scale)));
        Assert.That((seen.Mean, seen.StandardDeviation), Is.EqualTo(((IReadOnlyList<float>)mean, (IReadOnlyList<float>)deviation)));
    }

    private static void Expect(DensePredictions predictions, float[] pixels, float[] probabilities)
    {
        Assert.That(predictions.Count, Is.EqualTo(1));
        Assert.That(predictions.Boxes, Is.EqualTo(pixels.Select(pixel => pixel / TeacherGraph.Size)).AsCollection.Within(1e-5f));
        Assert.That(predictions.Probabilities, Is.EqualTo(probabilities).AsCollection.Within(1e-5f));
    }
}
