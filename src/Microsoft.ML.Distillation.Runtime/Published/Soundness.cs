using System.Globalization;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation.Published;

/// <summary>
/// Looks at what is read from a detector's outputs: where it cannot be, the detector is read wrongly, and an error says so before anybody
/// works with it.
/// </summary>
/// <param name="source">The detector's file, for the message.</param>
/// <param name="remarks">Takes what is no reason to stop.</param>
internal sealed class Soundness(string source, DetectorRemarks remarks)
{
    // By their boxes the first images tell, together; boxes that overhang the image are sound.
    private const int Images = 8;
    private const int ShownValues = 8;
    private const string FirstLabelAdvice = "Where labels count from another number, the option "
        + nameof(OnnxDetectorOptions.FirstLabel) + " says from which.";

    private readonly Lock _lock = new();
    private int _seen;
    private int _confident;
    private int _strange;
    private int _inCorner;
    private int _unnamedRows;
    private int _hasSaidUnnamed;
    private RawPrediction? _firstStrange;
    private bool _hasSaidStrange;

    /// <summary>Looks at one image.</summary>
    /// <exception cref="FormatException">Scores lie outside 0 to 1; labels come before the first class; all confident boxes are shares
    /// read as pixels; or of eight images most confident boxes lie outside, or are of classes that have no name.</exception>
    public void Check(PredictionSink sink, IReadOnlyList<OnnxOutput> outputs, IOutputDecoder decoder, IReadOnlyList<string> classNames)
    {
        if (sink.FirstImpossible is { } impossible)
        {
            throw Error("gives scores outside 0 to 1", impossible, outputs, decoder, classNames,
                $"Logits want the option {nameof(OnnxDetectorOptions.Activation)}.");
        }

        if (sink.FirstBefore is { } before)
        {
            throw Error(string.Create(CultureInfo.InvariantCulture,
                $"gives the label {before.Label} (score {before.Score:0.###}), and the first class is read as label {before.First}"),
                null, outputs, decoder, classNames, FirstLabelAdvice);
        }

        // A detector may well know more classes than it is given names for.
        if (sink.FirstUnnamed is { } unnamed && Interlocked.Exchange(ref _hasSaidUnnamed, 1) == 0)
            remarks.Add(Unnamed(unnamed, classNames));
        if (Volatile.Read(ref _seen) >= Images) return;
        lock (_lock)
        {
            if (_seen >= Images) return;
            _seen++;
            (_confident, _strange, _inCorner) = (_confident + sink.Confident, _strange + sink.Strange, _inCorner + sink.InCorner);
            _unnamedRows += sink.Unnamed;
            _firstStrange ??= sink.FirstStrange;
            CheckAll(sink, outputs, decoder, classNames);
        }
    }

    private void CheckAll(PredictionSink sink, IReadOnlyList<OnnxOutput> outputs, IOutputDecoder decoder, IReadOnlyList<string> classNames)
    {
        string images = _seen == 1 ? "1 image" : $"{_seen} images";
        if (sink.FirstInCorner is { } corner && _inCorner == _confident)
        {
            string boxes = _confident == 1 ? "1 confident box" : $"{_confident} confident boxes";
            throw Error($"gives {boxes} in {images}, all within the first two pixels of the input", corner, outputs,
                decoder, classNames, $"Are its boxes shares? The option {nameof(OnnxDetectorOptions.Layout)} says so (box unit: shares).");
        }

        if (_seen == Images && _unnamedRows > _confident)
        {
            throw Error($"gives {_unnamedRows} confident rows in {images} whose labels have no class name, and {_confident} that have one",
                null, outputs, decoder, classNames, FirstLabelAdvice);
        }

        if (2 * _strange <= _confident || _firstStrange is not { } strange) return;
        string count = $"of its {_confident} confident boxes in {images} gives {_strange} with the centre outside the image or a side "
            + "over twice the image's";
        FormatException error = Error(count, strange, outputs, decoder, classNames, "Their columns, their unit or the fit are others.");
        if (_seen == Images) throw error;
        // One box in one image does not tell; whoever shows it no more images is told all the same.
        if (!_hasSaidStrange) remarks.Add(error.Message);
        _hasSaidStrange = true;
    }

    private string Unnamed(UnnamedRow row, IReadOnlyList<string> classNames) => string.Create(CultureInfo.InvariantCulture,
        $"The detector '{source}' gives the label {row.Label} ({row.Score:0.###}), for which the {classNames.Count} class names, read from "
        + $"label {row.First} on, have none: such rows are left out. Are all classes named? {FirstLabelAdvice}");

    private FormatException Error(string what, RawPrediction? first, IReadOnlyList<OnnxOutput> outputs, IOutputDecoder decoder,
        IReadOnlyList<string> classNames, string advice)
    {
        string row = first is not { } box ? "" : string.Create(CultureInfo.InvariantCulture,
            $"; the first is x0 {box.X0:0.##}, y0 {box.Y0:0.##}, x1 {box.X1:0.##}, y1 {box.Y1:0.##} in pixels of the input, "
            + $"'{classNames[box.Class]}' {box.Score:0.###}");
        string begin = string.Join("; ", outputs.Select(Begin));
        return new FormatException(
            $"The detector '{source}', read as {decoder.Format} ({decoder.Layout}), {what}{row}. {advice} "
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

/// <summary>A row of a label that has no class name.</summary>
/// <param name="Label">The label as the detector gives it.</param>
/// <param name="First">The label of the first class.</param>
internal readonly record struct UnnamedRow(float Label, int First, float Score);
