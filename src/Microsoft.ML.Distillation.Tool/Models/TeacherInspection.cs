using System.Globalization;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Says what an ONNX detector takes and gives, as far as its graph shows it.</summary>
internal static class TeacherInspection
{
    /// <summary>Writes the input and the outputs for a grey image.</summary>
    public static void WriteGraph(TextWriter output, OnnxModelInspection model)
    {
        output.WriteLine($"input    {model.Input}");
        string about = model.OutputsAreBatched ? " for each image" : "";
        foreach (OnnxOutput one in model.Outputs) output.WriteLine($"output   {one}{(one.IsInteger ? " of integers" : "")}{about}");
    }

    /// <summary>Writes why the class names in the detector's metadata are not read, where they are not.</summary>
    /// <param name="path">The model's file.</param>
    public static void WriteNamesProblem(TextWriter output, string path)
    {
        if (OnnxModelInspection.ClassNamesProblemIn(path) is { } problem) output
            .WriteLine($"names    those in its metadata are not read: {problem}; those of --teacher-classes are used");
    }

    /// <summary>Writes the formats that the outputs fit, with the numbers of classes for which they do.</summary>
    public static void WriteGuesses(TextWriter output, OnnxModelInspection model)
    {
        if (model.OtherTask is { } task)
        {
            output.WriteLine($"format   none: it is no detector of upright boxes, {task}");
            return;
        }

        IReadOnlyList<OnnxFormatGuess> guesses = model.GuessFormats();
        if (guesses.Count == 0) output
            .WriteLine("format   none of the known ones, whatever the number of classes, or no certain one: name it with --teacher-format, "
                + "or describe it with --teacher-layout");
        foreach ((OnnxDetectorFormat format, IReadOnlyList<int> counts) in guesses)
        {
            string classes = counts.Count > 3 ? "any number of classes"
                : $"{string.Join(" or ", counts)} {(counts is [1] ? "class" : "classes")}";
            output.WriteLine($"format   {format} with {classes}; give their names with --teacher-classes");
        }
    }

    /// <summary>Writes how the detector is read.</summary>
    public static void WriteReading(TextWriter output, ObjectDetector detector)
    {
        (OnnxDetectorFormat format, OnnxPreprocessing seen, double confident, double noise) = detector.Reading!;
        output.WriteLine($"format   {format}, {Counted.Of(detector.ClassNames.Count, "class")}: "
            + $"{ShortList.Of(detector.ClassNames)}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"sees     {detector.InputWidth}×{detector.InputHeight}, "
                + $"{seen.Fit}{(seen.Fit == ImageFit.Stretch ? "" : $" with grey {seen.Fill}")}, {seen.Channels}, (pixel × {seen.Scale} − "
                + $"[{List(seen.Mean)}]) / [{List(seen.StandardDeviation)}]"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opinion  from a score of {confident}; noise below {noise:0.###}"));
    }

    /// <summary>Writes the tensors that can be hints.</summary>
    public static void WriteTensors(TextWriter output, OnnxModelInspection model)
    {
        IReadOnlyList<OnnxFeatureMap> candidates = model.FeatureMaps();
        output.WriteLine($"{Counted.Of(candidates.Count, "tensor")} can be hints (channels × height × width, stride):");
        foreach (OnnxFeatureMap tensor in candidates)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {tensor.Channels,5} × {tensor.Height,3} × {tensor.Width,3}  {tensor.Stride,5:0.##}  {tensor.Name}"));
    }

    /// <summary>Writes which classes teacher and student share, and which only one of them has.</summary>
    /// <exception cref="ArgumentException">They share none.</exception>
    public static void WriteClasses(TextWriter output, Teacher teacher, IReadOnlyList<string> student)
    {
        TeacherClasses match = teacher.MatchClasses(student);
        output.WriteLine($"classes  {match.Taught.Count} of the student's {student.Count} are taught: {ShortList.Of(match.Taught)}");
        if (match.Unknown.Count > 0) output
            .WriteLine($"         the teacher does not know these, they are learned from labels alone: {ShortList.Of(match.Unknown)}");
        if (match.Ignored.Count > 0) output
            .WriteLine($"         the student does not have these, they are not used: {ShortList.Of(match.Ignored)}");
    }

    private static string List(IReadOnlyList<float> values)
        => string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
}
