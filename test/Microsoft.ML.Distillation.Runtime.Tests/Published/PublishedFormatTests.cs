using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>Formats of further exporters, each in its exact names, shapes and element types, for an input of 64 × 64.</summary>
public class PublishedFormatTests
{
    private const int Cells = 84;
    private static readonly float[] ImageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Box = [8, 28, 40, 44];

    [TestCase(2)]
    [TestCase(3)]
    public void RfDetr_HasItsLogitsByName_EvenWhereTheyAreFour(int classes)
    {
        using var graph = new TeacherGraph(input: "input");
        var logits = new float[2 * (classes + 1)];
        Array.Fill(logits, -9);
        logits[1] = MathF.Log(3);
        graph.Output("dets", [.375f, .5625f, .5f, .25f, .5f, .5f, 1, 1], [2, 4]).Output("labels", logits, [2, classes + 1]);

        Sees(graph, classes, OnnxDetectorFormat.RfDetr, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, ImageNetMean);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, classes), [.. Enumerable.Range(0, classes).Select(c => c == 1 ? .75f : 0)]);
    }

    [Test]
    public void RfDetr_OfCoco_DoesNotGuess_FromWhichNumberItCounts()
    {
        using var graph = new TeacherGraph(input: "input");
        var logits = new float[91];
        Array.Fill(logits, -9);
        logits[1] = 2;
        graph.Output("dets", [.375f, .5625f, .5f, .25f], [1, 4]).Output("labels", logits, [1, 91]);

        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, 80),
            Throws.TypeOf<FormatException>().With.Message.Contains("give 91 names"));
        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, 90),
            Throws.TypeOf<FormatException>().With.Message.Contains("FirstLabel = 1"));
        DensePredictions fromOne = graph.Predict(OnnxDetectorFormat.Auto, 90, new OnnxDetectorOptions { FirstLabel = 1 });
        Assert.That(Array.IndexOf(fromOne.Probabilities, fromOne.Probabilities.Max()), Is.Zero);
        DensePredictions fromZero = graph.Predict(OnnxDetectorFormat.Auto, 90, new OnnxDetectorOptions { FirstLabel = 0 });
        Assert.That(Array.IndexOf(fromZero.Probabilities, fromZero.Probabilities.Max()), Is.EqualTo(1));
    }

    [TestCase("graph2_flat_predictions")]
    [TestCase("output")]
    public void YoloNas_Flat_HasScoreBeforeClass(string name)
    {
        using var graph = new TeacherGraph(input: "input", bytes: true);
        graph.Rows(name, [0, 8, 28, 40, 44, .7f, 1], 1, 7);

        Sees(graph, 2, OnnxDetectorFormat.YoloNas, ImageFit.LetterboxCentred, ChannelOrder.Rgb, 1, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [0, .7f]);
    }

    [Test]
    public void YoloNas_Raw_HasBoxesInPixels_First()
    {
        using var graph = new TeacherGraph();
        graph.Output("913", Row(4, Box), [Cells, 4]).Output("904", Row(2, [.1f, .6f]), [Cells, 2]);

        Sees(graph, 2, OnnxDetectorFormat.YoloNas, ImageFit.LetterboxCentred, ChannelOrder.Rgb, 1f / 255, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.1f, .6f]);
    }

    [TestCase("num_predictions", "pred_boxes", "pred_scores", "pred_classes")]
    [TestCase("num_dets", "boxes", "scores", "labels")]
    public void YoloNas_Batch_HasAsManyAsItSays(string count, string boxes, string scores, string labels)
    {
        using var graph = new TeacherGraph(input: "input", bytes: true);
        graph.IntegersPerImage(count, [1], 1).Output(boxes, [.. Box, 0, 0, 9, 9], [2, 4])
            .Output(scores, [.7f, .9f], [2]).IntegersPerImage(labels, [1, 0], 2);

        Sees(graph, 2, OnnxDetectorFormat.YoloNas, ImageFit.LetterboxCentred, ChannelOrder.Rgb, 1, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [0, .7f]);
    }

    [TestCase(2)]
    [TestCase(3)]
    public void DamoYolo_HasScoresFirst_AndSeesBytesWithBlackBars(int columns)
    {
        using var graph = new TeacherGraph();
        graph.Output("output", Row(columns, [.1f, .6f, 0]), [Cells, columns]).Output("952", Row(4, Box), [Cells, 4]);

        Sees(graph, 2, OnnxDetectorFormat.DamoYolo, ImageFit.LetterboxTopLeft, ChannelOrder.Rgb, 1, [0, 0, 0]);
        Assert.That(OnnxPreprocessing.For(OnnxDetectorFormat.DamoYolo).Fill, Is.Zero);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.1f, .6f]);
    }

    [Test]
    public void Paddle_HasClassAndScoreBeforeTheBox([Values] bool counted, [Values] bool realTime)
    {
        using var graph = new TeacherGraph(batch: "batch", input: "image");
        if (realTime) graph.Input("im_shape", false, "batch", 2);
        graph.Input("scale_factor", false, "batch", 2).Rows("save_infer_model/scale_0.tmp_0",
            [1, .7f, 8, 28, 40, 44, -1, -1, -1, -1, -1, -1], 2, 6);
        if (counted) graph.Integers("save_infer_model/scale_1.tmp_0", 2);

        Sees(graph, 2, OnnxDetectorFormat.Paddle, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [0, .7f]);
    }

    /// <summary>A row of -1 stands for nothing, and could be anybody's; its inputs are Paddle's.</summary>
    [TestCase(1)]
    [TestCase(2)]
    public void Paddle_IsKnown_WhereItFindsNothing(int classes)
    {
        using var graph = new TeacherGraph(batch: "batch", input: "image");
        graph.Input("scale_factor", false, "batch", 2).Rows("multiclass_nms3_0.tmp_0", [-1, -1, -1, -1, -1, -1], 1, 6).Integers("n", 0);

        Sees(graph, classes, OnnxDetectorFormat.Paddle, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, [0, 0, 0]);
        Assert.That(graph.Predict(OnnxDetectorFormat.Auto, classes).Count, Is.Zero);
    }

    [Test]
    public void PixelPair_OfLogits_IsRead_WhereItIsSaid()
    {
        using var graph = new TeacherGraph();
        float[] logits = new float[2 * Cells];
        Array.Fill(logits, -9);
        (logits[14], logits[15]) = (0, MathF.Log(3));
        graph.Output("boxes", Row(4, Box), [Cells, 4]).Output("scores", logits, [Cells, 2]);

        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Activation = ScoreActivation.Sigmoid }), [.5f, .75f]);
    }

    [Test]
    public void Paddle_WithoutSuppression_HasItsScoresTransposed()
    {
        using var graph = new TeacherGraph(input: "image");
        var scores = new float[2 * Cells];
        (scores[7], scores[Cells + 7]) = (.1f, .6f);
        graph.Input("scale_factor", false, 1, 2).Output("concat_14.tmp_0", scores, [2, Cells]).Output("tmp_17", Row(4, Box), [Cells, 4]);

        Sees(graph, 2, OnnxDetectorFormat.Paddle, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.1f, .6f]);
    }

    [Test]
    public void MMDeploy_HasScoresBesideItsBoxes()
    {
        using var graph = new TeacherGraph(input: "input");
        graph.Output("dets", [8, 28, 40, 44, .7f, 0, 0, 0, 0, 0], [2, 5]).IntegersPerImage("labels", [1, 0], 2);

        Sees(graph, 2, OnnxDetectorFormat.MMDeploy, ImageFit.LetterboxTopLeft, ChannelOrder.Rgb, 1f / 255, ImageNetMean);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [0, .7f]);
    }

    [Test]
    public void MMDeploy_MayFindNothing()
    {
        OnnxOutput[] nothing = [new("dets", [0, 5], Array.Empty<float>()), new("labels", [0], Array.Empty<float>(), IsInteger: true)];
        var size = new ImageSize(64, 64);
        var context = new DecoderContext(size, TeacherGraph.Names(2), new OnnxDetectorOptions(), OutputsBatched: true);
        IOutputDecoder decoder = FormatRecognition.Choose(OnnxDetectorFormat.Auto, [nothing], context, "teacher.onnx");
        var sink = new PredictionSink(InputFrame.For(size, size, ImageFit.Stretch), 0.1f);

        decoder.Decode(nothing, context, sink);

        Assert.That(decoder.Format, Is.EqualTo(OnnxDetectorFormat.MMDeploy));
        Assert.That(sink.ToPredictions().Count, Is.Zero);
    }

    /// <summary>D-FINE and DEIM keep RT-DETR's exporter: they are told the size of the input, and give boxes in its pixels.</summary>
    [Test]
    public void DFine_IsReadAsRtDetr()
    {
        using var graph = new TeacherGraph(batch: "N");
        graph.Input("orig_target_sizes", integers: true, "N", 2).Output("labels", [1, 0], [2]).Output("boxes", [.. Box, 0, 0, 9, 9], [2, 4])
            .Output("scores", [.7f, .01f], [2]);

        Sees(graph, 2, OnnxDetectorFormat.RtDetr, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [0, .7f]);
    }

    /// <summary>Hugging Face's Conditional and Deformable DETR: sigmoids and ImageNet's mean, told from RT-DETR by their mask.</summary>
    [TestCase(true, OnnxDetectorFormat.Detr)]
    [TestCase(true, OnnxDetectorFormat.Detr, 32)]
    [TestCase(false, OnnxDetectorFormat.RtDetr)]
    public void SigmoidDetr_IsKnownByItsMask(bool mask, OnnxDetectorFormat format, object? side = null)
    {
        using var graph = new TeacherGraph(batch: "batch", input: "pixel_values");
        if (mask) graph.Input("pixel_mask", integers: true, "batch", side ?? "height", side ?? "width");
        graph.Output("logits", [0, MathF.Log(3), -9, -9], [2, 2]).Output("pred_boxes", [.375f, .5625f, .5f, .25f, .5f, .5f, 1, 1], [2, 4]);

        Sees(graph, 2, format, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, mask ? ImageNetMean : [0, 0, 0]);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.5f, .75f]);
    }

    [Test]
    public void PicoDet_HasFourLevelsApart_AndSeesRedFirst()
    {
        using var graph = new TeacherGraph(input: "image");
        foreach (int stride in new[] { 8, 16, 32, 64 })
        {
            int cells = 64 / stride * (64 / stride);
            float[] scores = new float[cells * 2], distances = new float[cells * 32];
            if (stride == 16)
            {
                (scores[5 * 2], scores[5 * 2 + 1]) = (.3f, .6f);
                // From the middle of the cell, (24, 24): 1 stride to every side.
                Array.Fill(distances, -100, 5 * 32, 32);
                for (int side = 0; side < 4; side++) distances[5 * 32 + 8 * side + 1] = 0;
            }

            graph.Output($"transpose_{stride}.tmp_0", scores, [cells, 2]).Output($"transpose_{stride}.tmp_1", distances, [cells, 32]);
        }

        Sees(graph, 2, OnnxDetectorFormat.PicoDet, ImageFit.Stretch, ChannelOrder.Rgb, 1f / 255, ImageNetMean);
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.3f, .6f], [8, 8, 40, 40]);
    }

    /// <summary>Boxes in pixels beside probabilities are nobody's shares.</summary>
    [Test]
    public void PixelsBesideScores_AreNoSsd([Values("pred_bboxes", "boxes")] string boxes, [Values("pred_scores", "scores")] string scores)
    {
        using var graph = new TeacherGraph();
        graph.Output(boxes, Row(4, Box), [Cells, 4]).Output(scores, Row(2, [.1f, .6f]), [Cells, 2]);

        Assert.That(graph.Load(OnnxDetectorFormat.Auto, 2).Format, Is.EqualTo(OnnxDetectorFormat.YoloNas));
        Expect(graph.Predict(OnnxDetectorFormat.Auto, 2), [.1f, .6f]);
    }

    /// <summary>A detector that finds nothing in any picture of ours may number its columns in two ways: the first image that it finds
    /// something in tells.</summary>
    [Test]
    public void WhatFindsNothing_IsToldByTheFirstImage_InWhichItFindsSomething()
    {
        using var graph = new TeacherGraph(batch: "N");
        // Only what is brighter than all probes shows.
        graph.RowsWhereBright("output", [0, 8, 28, 40, 44, .7f, 1], 0.9f);
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.Auto, 2);
        ImageSize[] size = [new ImageSize(64, 64)];

        Assert.That(detector.Run(new float[3 * 64 * 64], size)[0].Predictions.Count, Is.Zero);
        float[] white = new float[3 * 64 * 64];
        Array.Fill(white, 1);
        Expect(detector.Run(white, size)[0].Predictions, [0, .7f]);
        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.YoloNas));
    }

    /// <summary>Exporters that stop before the sigmoids: whoever says so has them applied.</summary>
    [TestCase(OnnxDetectorFormat.YoloV8, new[] { 24f, 36, 32, 16, 0, 1.0986123f }, .75f)]
    [TestCase(OnnxDetectorFormat.YoloV5, new[] { 24f, 36, 32, 16, 0, -9, 1.0986123f }, .375f)]
    [TestCase(OnnxDetectorFormat.YoloX, new[] { 24f, 36, 32, 16, 0, -9, 1.0986123f }, .375f)]
    [TestCase(OnnxDetectorFormat.YoloEndToEnd, new[] { 8f, 28, 40, 44, 1.0986123f, 1 }, .75f)]
    public void Activation_IsAppliedByEveryFormat(OnnxDetectorFormat format, float[] row, float expected)
    {
        using var graph = new TeacherGraph();
        var rows = new float[row.Length * Cells];
        for (int at = 0; at < rows.Length; at += row.Length) Array.Fill(rows, -9, at + 4, row.Length - 4);
        row.CopyTo(rows, 7 * row.Length);
        graph.Output("output", rows, [Cells, row.Length]);

        DensePredictions found = graph.Predict(format, 2, new OnnxDetectorOptions { Activation = ScoreActivation.Sigmoid });

        Assert.That(found.Boxes, Is.EqualTo(Box.Select(pixel => pixel / TeacherGraph.Size)).AsCollection.Within(1e-5f));
        Assert.That(found.Probabilities[1], Is.EqualTo(expected).Within(1e-5f));
    }

    private static float[] Row(int columns, float[] values)
    {
        var all = new float[columns * Cells];
        // Boxes of the other cells are boxes too.
        if (columns == 4 && values[0] > 1) for (int at = 0; at < all.Length; at += 4) (all[at + 2], all[at + 3]) = (1, 1);
        values[..columns].CopyTo(all, 7 * columns);
        return all;
    }

    private static void Sees(
        TeacherGraph graph, int classes, OnnxDetectorFormat format, ImageFit fit, ChannelOrder channels, float scale, float[] mean)
    {
        using PublishedDetector detector = graph.Load(OnnxDetectorFormat.Auto, classes);
        OnnxPreprocessing seen = detector.Preprocessing;
        Assert.That(detector.Format, Is.EqualTo(format));
        Assert.That((seen.Fit, seen.Channels, seen.Scale), Is.EqualTo((fit, channels, scale)));
        Assert.That(seen.Mean, Is.EqualTo(mean));
    }

    private static void Expect(DensePredictions predictions, float[] probabilities, float[]? box = null)
    {
        Assert.That(predictions.Count, Is.EqualTo(1));
        Assert.That(predictions.Boxes, Is.EqualTo((box ?? Box).Select(pixel => pixel / TeacherGraph.Size)).AsCollection.Within(1e-5f));
        Assert.That(predictions.Probabilities, Is.EqualTo(probabilities).AsCollection.Within(1e-3f));
    }
}
