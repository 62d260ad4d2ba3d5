using System.Globalization;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Published;

/// <summary>
/// Looks at what is read from a detector's outputs: where it cannot be, the detector is read wrongly, and an error says so before anybody
/// works with it.
/// </summary>
/// <param name="source">The detector's file, for the message.</param>
internal sealed class Soundness(string source)
{
    // By their boxes the first images tell; boxes that overhang the image are sound.
    private const int Images = 8;
    private const int ShownValues = 8;

    private readonly Lock _lock = new();
    private int _seen;
    private int _confident;
    private int _strange;

    /// <summary>Looks at one image.</summary>
    /// <exception cref="FormatException">Scores lie outside 0 to 1, or most confident boxes outside the image.</exception>
    public void Check(PredictionSink sink, IReadOnlyList<OnnxOutput> outputs, IOutputDecoder decoder, IReadOnlyList<string> classNames)
    {
        if (sink.FirstImpossible is { } impossible)
        {
            throw Error("gives scores outside 0 to 1", impossible, outputs, decoder, classNames,
                $"Logits want the option {nameof(OnnxDetectorOptions.Activation)}.");
        }

        if (Volatile.Read(ref _seen) >= Images) return;
        lock (_lock)
        {
            if (_seen++ >= Images) return;
            (_confident, _strange) = (_confident + sink.Confident, _strange + sink.Strange);
            if (2 * _strange <= _confident || sink.FirstStrange is not { } strange) return;
            string images = _seen == 1 ? "1 image" : $"{_seen} images";
            string count = $"of its {_confident} confident boxes in {images} gives {_strange} with the centre outside the image or a side "
                + "over twice the image's";
            throw Error(count, strange, outputs, decoder, classNames, "Their columns, their unit or the fit are others.");
        }
    }

    private FormatException Error(string what, RawPrediction first, IReadOnlyList<OnnxOutput> outputs, IOutputDecoder decoder,
        IReadOnlyList<string> classNames, string advice)
    {
        string row = string.Create(CultureInfo.InvariantCulture,
            $"x0 {first.X0:0.##}, y0 {first.Y0:0.##}, x1 {first.X1:0.##}, y1 {first.Y1:0.##} in pixels of the input, "
            + $"'{classNames[first.Class]}' {first.Score:0.###}");
        string begin = string.Join("; ", outputs.Select(Begin));
        return new FormatException(
            $"The detector '{source}', read as {decoder.Format} ({decoder.Layout}), {what}; the first is {row}. {advice} "
            + $"Another format or the option {nameof(OnnxDetectorOptions.Layout)} reads it otherwise. Its outputs begin: {begin}.");
    }

    private static string Begin(OnnxOutput output)
    {
        IEnumerable<string> values = output.Values[..Math.Min(ShownValues, output.Values.Length)].ToArray()
            .Select(value => value.ToString("0.###", CultureInfo.InvariantCulture));
        return $"{output} {string.Join(", ", values)}{(output.Values.Length > ShownValues ? ", …" : "")}";
    }
}

/// <summary>A prediction as a decoder gives it: corners in pixels of the input, the best class and its score.</summary>
internal readonly record struct RawPrediction(float X0, float Y0, float X1, float Y1, int Class, float Score);
