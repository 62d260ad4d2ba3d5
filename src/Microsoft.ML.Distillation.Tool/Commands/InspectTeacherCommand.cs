using System.CommandLine;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill inspect-teacher</c>: what an ONNX detector takes and gives, and whether it is read rightly.</summary>
internal sealed class InspectTeacherCommand : System.CommandLine.Command
{
    private readonly TeacherOptionSet _teacher = new();
    private readonly Option<string?> _image = SharedOptions.Path("--image", "An image to show to the teacher …", "FILE");
    private readonly Option<string?> _draw = SharedOptions
        .Path("--draw", "… and the picture to write, with what it finds drawn on.", "FILE").AlsoCalled("--output", "-o");
    private readonly Option<double?> _drawScore = SharedOptions
        .Number("--draw-score", "The score from which boxes are drawn. [default: that of the teacher's opinion]", 0, 1);
    private readonly Option<bool> _tensors = new("--tensors") { Description = "List the tensors of the graph that can be hints." };
    private readonly Option<string?> _data = SharedOptions
        .Path("--data", "Annotated images: says which of their classes the teacher knows.", "DIR");
    private readonly FormatOptionSet _dataFormat = new();
    private readonly Option<bool> _skip = SharedOptions.SkipInvalid();

    private readonly Option<string?> _images = SharedOptions.Path(
        "--images", "With --prompt: a folder of which ten images are looked at; --draw then writes a sheet of them.", "DIR");

    public InspectTeacherCommand()
        : base("inspect-teacher", "Shows what an ONNX detector takes and gives, and draws what it finds in an image.")
    {
        _teacher.AddTo(Options, teaches: false);
        foreach (Option option in (Option[])[_image, _images, _draw, _drawScore, _tensors, _data, _skip]) Options.Add(option);
        _dataFormat.AddTo(Options);
        SetAction(Run);
    }

    private void Run(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        OutputCheck.File(parsed, _draw.Name, parsed.GetValue(_draw));
        string path = _teacher.PathOf(parsed);
        if (TeacherOptionSet.IsOwn(path))
        {
            throw new UsageException($"'{path}' is a detector of this library, whose file says how it is read: 'ml-distill evaluate' "
                + "measures it. inspect-teacher is for other people's ONNX files.");
        }

        OnnxTeacherOptions options = _teacher.OptionsOf(parsed);
        if (options.Prompts is not null)
        {
            InspectWords(parsed, path, options, output);
            return;
        }

        if (parsed.GetValue(_images) is not null) throw new UsageException("--images goes with --prompt; --image shows one image.");
        var model = OnnxModelInspection.Of(path, options);
        TeacherInspection.WriteGraph(output, model);
        TeacherInspection.WriteNamesProblem(output, path);
        if (_teacher.NamesOf(parsed) is { } names)
        {
            using var detector = ObjectDetector
                .Load(path, new ObjectDetectorOptions(options) { Format = _teacher.FormatOf(parsed), ClassNames = names });
            TeacherInspection.WriteReading(output, detector);
            if (parsed.GetValue(_data) is string data) TeacherInspection
                .WriteClasses(output, Teacher.FromOnnx(path, _teacher.FormatOf(parsed), names, options),
                    ClassesOf(DataAt(parsed, data)));
            if (parsed.GetValue(_image) is string image) Show(detector, image, parsed.GetValue(_draw), (float?)parsed.GetValue(_drawScore),
                SharedOptions.MaxPixelsIn(parsed), output);
        }
        else
        {
            if (parsed.GetValue(_image) is not null || parsed.GetValue(_data) is not null)
                throw new UsageException("--image and --data go with --teacher-classes: without them it is not known what the teacher "
                    + "finds.");
            TeacherInspection.WriteGuesses(output, model);
        }

        if (parsed.GetValue(_tensors)) TeacherInspection.WriteTensors(output, model);
    }

    private void InspectWords(ParseResult parsed, string path, OnnxTeacherOptions options, TextWriter output)
    {
        if (parsed.GetValue(_tensors)) throw new UsageException("--tensors does not go with --prompt.");
        (TextWriter error, long maxPixels) = (parsed.InvocationConfiguration.Error, SharedOptions.MaxPixelsIn(parsed));
        TextWriter notes = SharedOptions.NotesTo(parsed, error);
        using var inspection = new PromptInspection(path, _teacher.FormatOf(parsed), options, maxPixels);
        inspection.WriteReading(output);
        if (parsed.GetValue(_image) is string image) inspection.Look([image], output, parsed.GetValue(_draw));
        if (parsed.GetValue(_images) is string folder)
        {
            if (parsed.GetValue(_image) is not null) throw new UsageException("--image and --images do not go together.");
            IReadOnlyList<string> files = InputImages.Find(folder);
            if (parsed.GetValue(_skip)) files = TestImages.Readable(files, maxPixels, error, notes);
            inspection.Look(files, output, parsed.GetValue(_draw));
        }

        if (parsed.GetValue(_data) is not string data) return;
        IReadOnlyList<AnnotatedRow> rows = DataAt(parsed, data).Load(null);
        inspection.Measure(parsed.GetValue(_skip) ? TestImages.Checked(rows, skip: true, maxPixels, error, notes) : rows, output, notes);
    }

    private DataFolder DataAt(ParseResult parsed, string path)
        => _dataFormat.At(parsed, path) with { SkipsInvalid = parsed.GetValue(_skip) };

    private static void Show(ObjectDetector detector, string path, string? drawn, float? drawScore, long maxPixels,
        TextWriter output)
    {
        using MLImage image = ImageLoader.Load(path, maxPixels);
        IReadOnlyList<Detection> found = detector.Detect(image);
        float least = drawScore ?? (float)detector.Reading!.ConfidentScore;
        int shown = found.Count(one => one.Score >= least);
        output.WriteLine($"image    {Counted.Of(shown, "detection")} from a score of {least:0.00}, {found.Count} above noise");
        foreach (string remark in detector.Remarks) output.WriteLine($"warning  {OptionNames.Translate(remark)}");
        if (drawn is null) return;
        using MLImage picture = image.DrawDetections([.. found.Where(one => one.Score >= least)], detector.ClassNames);
        AtomicFile.Write(drawn, picture.Save);
        output.WriteLine($"saved {drawn}");
    }

    private static string[] ClassesOf(DataFolder data) => [.. (data with { AllowMissingImages = true }).Load(split: null)
        .SelectMany(image => image.Label).Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal)];
}
