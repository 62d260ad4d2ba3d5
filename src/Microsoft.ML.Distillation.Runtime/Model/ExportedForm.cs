using System.Globalization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// Makes the forms of an exported detector, and holds what it makes to the whole form, which training held to the network: both are shown
/// the same drawn images, and must answer alike at every location.
/// </summary>
internal static class ExportedForm
{
    /// <summary>The differences that rounding explains: of what leaves the layers, as a share of its size; of scores and boxes.</summary>
    private const double Single = 1e-3, Halved = 2e-2;

    /// <summary>A detector in a form.</summary>
    /// <param name="full">The detector in its whole form.</param>
    /// <exception cref="ArgumentOutOfRangeException">The score cannot be.</exception>
    /// <exception cref="NotSupportedException">The detector has no such form; the message says why.</exception>
    /// <exception cref="InvalidOperationException">What was made does not agree with the whole form; the message gives the figures.
    /// </exception>
    public static OnnxModelFile Of(OnnxModelFile full, OnnxExportOptions options)
    {
        if (options.ScoreThreshold is not (null or (> 0 and <= 1))) throw new ArgumentOutOfRangeException(nameof(options),
            options.ScoreThreshold, $"The option {nameof(options.ScoreThreshold)} must be above 0 and at most 1.");
        if (options is { Form: OnnxForm.Raw, ScoreThreshold: not null }) throw new NotSupportedException(
            $"The raw form chooses nothing, so no score can be built into it: leave {nameof(options.ScoreThreshold)} out, and choose by "
                + "score where it is run; or export the whole or plain form.");
        if (options.ScoreThreshold is double score) full = BuiltInScore.Of(full, score);
        if (options is { Form: OnnxForm.Whole, Half: false }) return full;
        if (HalfPrecision.Is(full)) throw new NotSupportedException(
            "The detector is in half precision already, of which no other form can be made: export the one that it came from.");
        if (options.Half && full.Metadata.TryGetValue(DetectorGraph.PrecisionKey, out string? precision)) throw new NotSupportedException(
            $"The detector is of low precision ({precision}), which half precision would only undo: export the full-precision one.");
        OnnxModelFile form = options.Form switch
        {
            OnnxForm.Plain => PlainForm.Of(full),
            OnnxForm.Raw => RawForm.Of(full),
            _ => full,
        };
        if (options.Half) form = new OnnxModelFile(
            HalfPrecision.Of(form.Model, options.Form == OnnxForm.Whole ? PlainForm.ImageIn(full) : DetectorGraph.Images));
        if (options is not { Form: OnnxForm.Plain, Half: false }) Check(full, form, options);
        return form;
    }

    private static void Check(OnnxModelFile full, OnnxModelFile form, OnnxExportOptions options)
    {
        OnnxModelFile plain = PlainForm.Of(full);
        ImageSize size = PlainForm.InputSize(full);
        double allowed = options.Half ? Halved : Single;
        double difference = options.Form == OnnxForm.Raw
            ? DenseDifference(full, plain, form, size)
            : LayerDifference(plain, new OnnxModelFile(HalfPrecision.Of(plain.Model, DetectorGraph.Images)), size);
        if (!(difference <= allowed)) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
            $"The detector's {options.Form.ToString().ToLowerInvariant()} form{(options.Half ? " in half precision" : "")} does not "
                + $"agree with its whole form: on drawn images they differ by {difference:0.000000} (at most {allowed}). Export it in "
                + $"{(options.Half ? "single precision" : "another form")}."));
    }

    /// <summary>The largest difference of a score, or of a side of a box that has one, at any location.</summary>
    private static double DenseDifference(OnnxModelFile full, OnnxModelFile plain, OnnxModelFile raw, ImageSize size)
    {
        DenseTail tail = DenseTail.In(full);
        using var expected = new OnnxSession(new OnnxModelFile(GraphSurgery.Part(plain.Model, [tail.Boxes, tail.Scores], "the detector"))
            .ToBytes());
        using var found = new OnnxSession(raw.ToBytes());
        double largest = 0;
        foreach (float[] image in DrawnImages(size))
        {
            OnnxInput input = OnnxSession.Input(DetectorGraph.Images, image, 1, 3, size.Height, size.Width);
            Dictionary<string, Array> one = expected.Run(input), other = found.Run(input);
            var (boxes, rawBoxes) = ((float[])one[tail.Boxes], (float[])other[DetectorGraph.Boxes]);
            var (scores, rawScores) = ((float[])one[tail.Scores], (float[])other[DetectorGraph.Scores]);
            int points = boxes.Length / 4, classes = scores.Length / points;
            for (int i = 0; i < boxes.Length; i++)
                largest = Worse(largest, boxes[i] / (i % 2 == 0 ? size.Width : size.Height) - rawBoxes[i]);
            for (int i = 0; i < scores.Length; i++)
            {
                // The whole form has no score for boxes without an area; who reads the raw one drops them.
                if (scores[i] > 0) largest = Worse(largest, scores[i] - rawScores[i % points * classes + i / points]);
            }
        }

        return largest;
    }

    /// <summary>
    /// The largest difference, relative to its size, of what the layers in half precision give to the arithmetic behind them, as far as no
    /// choice among boxes lies between.
    /// </summary>
    private static double LayerDifference(OnnxModelFile plain, OnnxModelFile half, ImageSize size)
    {
        string[] ends = [.. LayerEnds(half.Model.Graph)];
        using var expected = new OnnxSession(new OnnxModelFile(GraphSurgery.Part(plain.Model, ends, "the detector")).ToBytes());
        string[] singles = [.. ends.Select(end => $"{end}_single")];
        using var found = new OnnxSession(new OnnxModelFile(GraphSurgery.Part(half.Model, singles, "the detector")).ToBytes());
        double largest = 0;
        foreach (float[] image in DrawnImages(size))
        {
            OnnxInput input = OnnxSession.Input(DetectorGraph.Images, image, 1, 3, size.Height, size.Width);
            Dictionary<string, Array> one = expected.Run(input), other = found.Run(input);
            foreach ((string end, string single) in ends.Zip(singles))
            {
                var (values, others) = ((float[])one[end], (float[])other[single]);
                double norm = Math.Sqrt(values.Sum(value => (double)value * value));
                double distance = Math.Sqrt(values.Zip(others, (a, b) => (double)(a - b) * (a - b)).Sum());
                largest = Worse(largest, distance / Math.Max(norm, 1e-6));
            }
        }

        return largest;
    }

    /// <summary>The values that are cast from half to single precision before boxes are chosen.</summary>
    private static IEnumerable<string> LayerEnds(GraphProto graph)
    {
        HashSet<string> chosen = [];
        foreach (NodeProto node in graph.Node)
        {
            bool isChosen = node.OpType is "NonMaxSuppression" or "TopK" || GraphSurgery.Needs(node).Any(chosen.Contains);
            if (isChosen) chosen.UnionWith(node.Output);
            else if (node.OpType == "Cast" && node.Output[0] == $"{node.Input[0]}_single") yield return node.Input[0];
        }
    }

    private static double Worse(double largest, double difference)
        => Math.Abs(difference) <= largest ? largest : double.IsNaN(difference) ? double.PositiveInfinity : Math.Abs(difference);

    /// <summary>Images of rectangles with a little grain, float [1,3,H,W], 0 to 1; always the same.</summary>
    private static IEnumerable<float[]> DrawnImages(ImageSize size)
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            var random = new Random(seed);
            var image = new float[3 * size.Height * size.Width];
            for (int shape = 0; shape < 12; shape++)
            {
                int width = random.Next(1, size.Width + 1), height = random.Next(1, size.Height + 1);
                int left = random.Next(size.Width), top = random.Next(size.Height);
                float[] colour = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
                for (int channel = 0; channel < 3; channel++)
                {
                    for (int y = top; y < Math.Min(top + height, size.Height); y++)
                        image.AsSpan((channel * size.Height + y) * size.Width + left, Math.Min(width, size.Width - left))
                            .Fill(colour[channel]);
                }
            }

            for (int i = 0; i < image.Length; i++) image[i] = Math.Clamp(image[i] + (random.NextSingle() - 0.5f) / 16, 0, 1);
            yield return image;
        }
    }
}
