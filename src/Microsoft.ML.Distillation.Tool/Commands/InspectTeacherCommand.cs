using System.CommandLine;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tool.Models;
using InputImages = Microsoft.ML.Distillation.Tool.Models.InputImages;
using PublishedDetector = Microsoft.ML.Distillation.Published.PublishedDetector;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill inspect-teacher</c>: what an ONNX detector takes and gives, and whether it is read rightly.</summary>
internal sealed class InspectTeacherCommand : System.CommandLine.Command
{
    private readonly TeacherOptionSet _teacher = new();
    private readonly Option<string?> _image = SharedOptions.Path("--image", "An image to show to the teacher …", "FILE");
    private readonly Option<string?> _draw = SharedOptions.Path("--draw", "… and the picture to write, with what it finds drawn on.", "FILE");
    private readonly Option<double?> _drawScore = SharedOptions.Number("--draw-score", "The score from which boxes are drawn. [default: that of the teacher's opinion]", 0, 1);
    private readonly Option<bool> _tensors = new("--tensors") { Description = "List the tensors of the graph that can be hints." };
    private readonly Option<string?> _data = SharedOptions.Path("--data", "Annotated images in Pascal VOC's format: says which of their classes the teacher knows.", "DIR");

    public InspectTeacherCommand()
        : base("inspect-teacher", "Shows what an ONNX detector takes and gives, and draws what it finds in an image.")
    {
        _teacher.AddTo(Options);
        foreach (Option option in (Option[])[_image, _draw, _drawScore, _tensors, _data]) Options.Add(option);
        SetAction(Run);
    }

    private void Run(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        OutputCheck.File(parsed, _draw.Name, parsed.GetValue(_draw));
        string path = _teacher.PathOf(parsed);
        OnnxTeacherOptions options = _teacher.OptionsOf(parsed);
        (ImageSize input, IReadOnlyList<OnnxOutput> outputs, bool batched) = TeacherInspection.WriteGraph(output, path, options);
        if (_teacher.NamesOf(parsed) is { } names)
        {
            using var detector = new PublishedDetector(path, _teacher.FormatOf(parsed), names, options);
            TeacherInspection.WriteReading(output, detector);
            if (parsed.GetValue(_data) is string data) TeacherInspection.WriteClasses(output, names, ClassesOf(data), options);
            if (parsed.GetValue(_image) is string image) Show(detector, image, parsed.GetValue(_draw), (float?)parsed.GetValue(_drawScore), output);
        }
        else
        {
            if (parsed.GetValue(_image) is not null || parsed.GetValue(_data) is not null)
                throw new UsageException("--image and --data go with --teacher-classes: without them it is not known what the teacher finds.");
            TeacherInspection.WriteGuesses(output, input, outputs, batched, options, path);
        }

        if (parsed.GetValue(_tensors)) TeacherInspection.WriteTensors(output, path, input);
    }

    private static void Show(PublishedDetector detector, string path, string? drawn, float? drawScore, TextWriter output)
    {
        using MLImage image = InputImages.Load(path);
        RgbImage pixels = MLImagePixels.ToRgb(image);
        ImageSize size = detector.InputSize;
        Detections found = Suppression.Detect(detector.Run(AntialiasedResize.Resize(pixels, size), [new ImageSize(image.Width, image.Height)])[0].Predictions);
        float least = drawScore ?? (float)detector.ConfidentScore;
        int shown = found.Scores.Count(score => score >= least);
        output.WriteLine($"image    {shown} detections from a score of {least:0.00}, {found.Count} above noise");
        var picture = Picture.Of(image);
        for (int i = found.Count - 1; i >= 0; i--)
        {
            if (found.Scores[i] < least) continue;
            float[] box = [.. found.Boxes[(4 * i)..(4 * i + 4)].Select((share, side) => share * (side % 2 == 0 ? image.Width : image.Height))];
            DetectionPainter.Draw(picture, box, found.Labels[i], detector.ClassNames[found.Labels[i]], found.Scores[i]);
        }

        if (drawn is null) return;
        picture.Save(drawn);
        output.WriteLine($"saved {drawn}");
    }

    private static string[] ClassesOf(string folder) => [.. AnnotatedRow.Load(new MLContext(), folder, split: null)
        .SelectMany(image => image.Label).Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal)];
}
