using System.Globalization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Decoders;
using Microsoft.ML.Distillation.Teachers.Dense;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Says what an ONNX detector takes and gives, as far as its graph shows it.</summary>
internal static class TeacherInspection
{
    // No published detector that ends in class scores has more.
    private const int MostClasses = 1204;

    /// <summary>Writes the input and the outputs for a grey image.</summary>
    /// <returns>The size of the input and the outputs.</returns>
    public static (ImageSize Input, IReadOnlyList<OnnxOutput> Outputs, bool Batched) WriteGraph(TextWriter output, string path, OnnxTeacherOptions options)
    {
        using var runner = new OnnxRunner(path, [], options);
        InputSpec input = runner.Input;
        var size = new ImageSize(options.AskedSize.Width ?? input.Width ?? 640, options.AskedSize.Height ?? input.Height ?? 640);
        string batch = !input.HasBatch ? "" : input.FixedBatch is int fixedBatch ? $"{fixedBatch}, " : "N, ";
        string sides = $"{(input.Height is int h ? $"{h}" : "H")}, {(input.Width is int w ? $"{w}" : "W")}";
        output.WriteLine($"input    '{input.Name}' {input.Type} [{batch}{(input.ChannelsLast ? $"{sides}, 3" : $"3, {sides}")}]");
        float[] grey = new float[3 * size.Width * size.Height];
        Array.Fill(grey, 0.5f);
        IReadOnlyList<OnnxOutput> outputs = runner.Run(grey, size)[0].Outputs;
        string about = runner.OutputsBatched ? " for each image" : "";
        foreach (OnnxOutput one in outputs) output.WriteLine($"output   {one}{(one.IsInteger ? " of integers" : "")}{about}");
        return (size, outputs, runner.OutputsBatched);
    }

    /// <summary>The formats that the outputs fit, with the numbers of classes for which they do.</summary>
    public static void WriteGuesses(TextWriter output, ImageSize input, IReadOnlyList<OnnxOutput> outputs, bool batched, OnnxTeacherOptions options, string path)
    {
        var fits = new Dictionary<OnnxDetectorFormat, List<int>>();
        for (int classes = 1; classes <= MostClasses; classes++)
        {
            var context = new DecoderContext(input, [.. Enumerable.Range(0, classes).Select(c => $"{c}")], options, batched);
            try
            {
                OnnxDetectorFormat format = FormatRecognition.Choose(OnnxDetectorFormat.Auto, outputs, context, path).Format;
                if (!fits.TryGetValue(format, out List<int>? counts)) fits[format] = counts = [];
                counts.Add(classes);
            }
            catch (FormatException)
            {
                // Of so many classes it is no known format, or no certain one.
            }
        }

        if (fits.Count == 0) output.WriteLine("format   none of the known ones, whatever the number of classes, or no certain one: name it with --teacher-format");
        foreach ((OnnxDetectorFormat format, List<int> counts) in fits)
        {
            string classes = counts.Count > 3 ? "any number of classes" : $"{string.Join(" or ", counts)} {(counts is [1] ? "class" : "classes")}";
            output.WriteLine($"format   {format} with {classes}; give their names with --teacher-classes");
        }
    }

    /// <summary>Writes how the detector is read.</summary>
    public static void WriteReading(TextWriter output, PublishedDetector detector)
    {
        OnnxPreprocessing seen = detector.Preprocessing;
        output.WriteLine($"format   {detector.Format}, {detector.ClassNames.Count} classes: {string.Join(", ", detector.ClassNames.Take(10))}{(detector.ClassNames.Count > 10 ? ", …" : "")}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"sees     {detector.InputSize}, {seen.Fit}{(seen.Fit == ImageFit.Stretch ? "" : $" with grey {seen.Fill}")}, {seen.Channels}, (pixel × {seen.Scale} − [{List(seen.Mean)}]) / [{List(seen.StandardDeviation)}]"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opinion  from a score of {detector.ConfidentScore}; noise below {detector.NoiseScore:0.###}"));
    }

    /// <summary>Writes the tensors that can be hints.</summary>
    public static void WriteTensors(TextWriter output, string path, ImageSize input)
    {
        IReadOnlyList<HintCandidate> candidates = HintCandidates.Of(path, input);
        output.WriteLine($"{candidates.Count} tensors can be hints (channels × height × width, stride):");
        foreach (HintCandidate tensor in candidates)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {tensor.Channels,5} × {tensor.Height,3} × {tensor.Width,3}  {tensor.Stride,5:0.##}  {tensor.Name}"));
    }

    /// <summary>Writes which classes teacher and student share, and which only one of them has.</summary>
    /// <exception cref="ArgumentException">They share none.</exception>
    public static void WriteClasses(TextWriter output, IReadOnlyList<string> teacher, IReadOnlyList<string> student, OnnxTeacherOptions options)
    {
        var match = new ClassMatch(teacher, student, ClassAliases.Of(options));
        string[] unknown = [.. match.UnknownClasses.Select(c => student[c])];
        output.WriteLine($"classes  {student.Count - unknown.Length} of the student's {student.Count} are taught: {string.Join(", ", student.Except(unknown))}");
        if (unknown.Length > 0) output.WriteLine($"         the teacher does not know these, they are learned from labels alone: {string.Join(", ", unknown)}");
        if (match.IgnoredClasses.Count > 0) output.WriteLine($"         the student does not have these, they are not used: {string.Join(", ", match.IgnoredClasses)}");
    }

    private static string List(IReadOnlyList<float> values) => string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
}
