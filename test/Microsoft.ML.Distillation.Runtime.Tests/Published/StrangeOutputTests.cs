using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>Whatever a graph gives, it is read or refused: outputs of any names, shapes and values, under every format.</summary>
public class StrangeOutputTests
{
    private static readonly string[] Names =
    [
        "output", "output0", "boxes", "scores", "labels", "dets", "logits", "pred_boxes", "pred_scores", "pred_classes", "num_dets",
        "num_detections", "detection_boxes", "detection_scores", "detection_classes", "masks", "cls_8", "dis_8",
    ];

    private static readonly int[] Lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 84];
    private static readonly float[] Values =
        [0, 1, -1, .5f, .9f, 2, 7, 30, 60, 1e9f, -1e9f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, 1e-40f];

    private static readonly OnnxDetectorLayout[] Layouts =
    [
        new() { Score = new(4), Label = new(5) },
        new() { Boxes = new("dets"), Score = new("scores"), Label = new("labels"), Count = "num_dets" },
        new() { Boxes = new() { Transposed = true }, Classes = new(4) { Transposed = true }, Background = OnnxBackground.Last },
        new() { Boxes = new(1), Image = new(0), Score = new(5), BoxUnit = OnnxBoxUnit.PicturePixels },
        new()
        {
            BoxForm = OnnxBoxForm.CentreAndSize, BoxUnit = OnnxBoxUnit.Cells, SizesAreLogarithms = true, Objectness = new(4),
            Classes = new(5), Activation = ScoreActivation.Softmax,
        },
        new() { BoxForm = OnnxBoxForm.Distances, Classes = new(), Strides = [8, 64] },
    ];

    [TestCase(2_000, 7)]
    [TestCase(100_000, 8, Explicit = true)]
    public void StrangeOutputs_AreReadOrRefused(int count, int seed)
    {
        var random = new Random(seed);
        var size = new ImageSize(64, 64);
        InputFrame frame = InputFrame.For(size, new ImageSize(200, 100), ImageFit.LetterboxCentred);
        int read = 0;
        for (int i = 0; i < count; i++)
        {
            int rows = Lengths[random.Next(Lengths.Length)];
            OnnxOutput[] outputs = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Output(random, rows))];
            OnnxDetectorFormat format = Enum.GetValues<OnnxDetectorFormat>()[random.Next(20)];
            if (format == OnnxDetectorFormat.Custom) continue;
            var options = new OnnxDetectorOptions
            {
                Layout = format == OnnxDetectorFormat.Layout ? Layouts[random.Next(Layouts.Length)] : null,
                Activation = (ScoreActivation)random.Next(4),
                FirstLabel = random.Next(3) == 0 ? random.Next(3) : null,
            };
            var context = new DecoderContext(size, TeacherGraph.Names(random.Next(1, 4)), options, OutputsBatched: random.Next(2) == 0);
            try
            {
                OtherTasks.Refuse("strange.onnx", new Dictionary<string, string>(), outputs, context);
                IOutputDecoder decoder = FormatRecognition.Choose(format, [outputs], context, "strange.onnx");
                var sink = new PredictionSink(frame, 0.1f, new ImageSize(200, 100)) { ConfidentScore = 0.3 };
                decoder.Decode(outputs, context, sink);
                read++;
                new Soundness("strange.onnx", new DetectorRemarks()).Check(sink, outputs, decoder, context.ClassNames);
                Assert.That(sink.ToPredictions().Boxes, Is.All.InRange(0, 1));
            }
            catch (FormatException)
            {
                // Refused.
            }
            catch (Exception error) when (error is not AssertionException)
            {
                Assert.Fail($"Case {i}, {format}, {string.Join(", ", (object[])outputs)}: {error}");
            }
        }

        TestContext.Out.WriteLine($"{read} of {count} were read");
        Assert.That(read, Is.GreaterThan(count / 50));
    }

    private static OnnxOutput Output(Random random, int rows)
    {
        int[] shape = random.Next(6) switch
        {
            0 => [rows],
            1 or 2 => [rows, random.Next(3) == 0 ? 4 : random.Next(9)],
            3 => [random.Next(9), rows],
            4 => [random.Next(40), 8, 8],
            _ => [.. Enumerable.Range(0, random.Next(4)).Select(_ => Lengths[random.Next(Lengths.Length)])],
        };
        int length = shape.Aggregate(1, (product, side) => product * side);
        bool integer = random.Next(4) == 0, sane = random.Next(2) == 0;
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            float value = sane ? random.NextSingle() * (random.Next(2) == 0 ? 1 : 60) : Values[random.Next(Values.Length)];
            values[i] = integer ? MathF.Round(value) : value;
        }

        return new OnnxOutput(Names[random.Next(Names.Length)], shape, values, integer);
    }
}
