using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill evaluate</c>: measures a model on annotated images, or detections in COCO's format against ground
/// truth.</summary>
internal sealed class EvaluateCommand : System.CommandLine.Command
{
    public EvaluateCommand()
        : base("evaluate", "Measures a model on annotated images, or detections against ground truth, both in COCO's format.")
    {
        var model = new ModelOptionSet(isRequired: false);
        Option<string?> data = SharedOptions
            .Path("--data", "The annotated images: a folder, or a COCO json, data.yaml, csv or tsv.", "DIR");
        var format = new FormatOptionSet { OutputIsTheResult = true };
        Option<string?> split = SharedOptions
            .Split("--split", "The part of the images, or 'all'. [default: test where there is one, else all]");
        Option<string?> groundTruth = SharedOptions.Path("--ground-truth", "In place of a model: annotations in COCO's format …", "FILE");
        Option<string?> detections = SharedOptions.Path("--detections", "… and detections in COCO's format.", "FILE");
        Option<string> metric = SharedOptions.Choice("--metric", "What to measure.", MetricFigures.Metrics);
        Option<string?> json = SharedOptions.Path("--json", "Also write the figures to a file.", "FILE")
            .AlsoCalled("--output", "-o");
        var errors = new Option<bool>("--errors")
        {
            Description =
            "Also show what goes wrong: kinds of errors with their costs, and which classes are taken for which."
        };
        var exclusive = new Option<bool>("--exclusive-pixels")
        {
            Description =
            "For voc07 and voc12: a width is x1 - x0, not x1 - x0 + 1 as in VOC's own evaluation."
        };
        model.AddTo(Options);
        Options.Add(data);
        format.AddTo(Options);
        Option<string?> teacher = SharedOptions.Path("--teacher", "With --report: the model's teacher, to show beside it.", "FILE");
        Option<string?> alone = SharedOptions.Path("--alone", "With --report: the same student trained alone, to show beside it.", "FILE");
        Option<string?> quantised = SharedOptions
            .Path("--quantized", "With --report: the student in low precision, to show beside it.", "FILE").AlsoCalled("--quantised");
        var report = new ReportOptionSet();
        foreach (Option option in (Option[])[split, groundTruth, detections, metric, exclusive, errors, json]) Options.Add(option);
        report.AddTo(Options);
        Option<string?> teacherClasses = SharedOptions
            .Path("--teacher-classes", "The classes of a --teacher of another origin, one in each line, in its order.", "FILE");
        Option<bool> skip = SharedOptions.SkipInvalid();
        foreach (Option option in (Option[])[teacher, teacherClasses, alone, quantised, skip]) Options.Add(option);
        SetAction(parsed =>
        {
            (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            (string Name, DetectorRole Role, string? Path)[] beside =
            [
                ("teacher", DetectorRole.Teacher, parsed.GetValue(teacher)), ("student alone", DetectorRole.Alone, parsed.GetValue(alone)),
                ("student quantised", DetectorRole.Quantised, parsed.GetValue(quantised)),
            ];
            if (report.IsWanted(parsed) ? model.PathIn(parsed) is null : beside.Any(entry => entry.Path is not null))
                throw new UsageException("--report goes with --model and --data; --teacher, --alone and --quantized go with --report.");
            OutputCheck.File(parsed, json.Name, parsed.GetValue(json));
            report.Check(parsed);
            ObjectDetectorOptions options = model.PathIn(parsed) is null ? new() : model.OptionsOf(parsed);
            ObjectDetectorOptions teacherOptions = OptionsOfTeacher(parsed.GetValue(teacher), parsed.GetValue(teacherClasses), options);
            // Of a student beside its teacher the latter is told in words.
            if (teacherOptions.Prompts is not null && TeacherOptionSet.IsOwn(model.PathIn(parsed)!))
                options = options with { Prompts = null };
            bool inclusive = !parsed.GetValue(exclusive);
            DetectionMetrics metrics = (model.PathIn(parsed), parsed.GetValue(data), parsed.GetValue(groundTruth),
                parsed.GetValue(detections)) switch
            {
                (string path, string folder, null, null)
                    => OnData(parsed, path, () => Images(folder), inclusive, options),
                (null, null, string truth, string found) when parsed.GetValue(split) is null => OnFiles(truth, found, inclusive, error),
                _ => throw new UsageException(
                    "give either --model and --data, or --ground-truth and --detections (see 'ml-distill evaluate --help')"),
            };
            var figures = MetricFigures.Of(parsed.GetRequiredValue(metric), metrics);
            ErrorFigures? mistakes = parsed.GetValue(errors) ? new ErrorFigures(metrics.Errors, metrics.Confusion) : null;
            if (parsed.GetValue(json) is string file) FiguresFile.Write(file, figures, metrics, mistakes);
            figures.Write(output);
            ScoreTable.Write(output, metrics);
            mistakes?.Write(output);
            if (!report.IsWanted(parsed)) return;
            WriteReport(parsed, report, model.PathIn(parsed)!, beside, Images(parsed.GetValue(data)!), options, teacherOptions);

            IReadOnlyList<AnnotatedRow> Images(string folder)
            {
                DataFolder images = format.At(parsed, folder) with { SkipsInvalid = parsed.GetValue(skip) };
                IReadOnlyList<AnnotatedRow> rows = images.Load(images.Choose(parsed.GetValue(split), "test"));
                return images.SkipsInvalid ? TestImages.Checked(rows, skip: true, images.MaxPixels, error, images.Notes) : rows;
            }
        });
    }

    private static DetectionMetrics OnData(
        ParseResult parsed, string model, Func<IReadOnlyList<AnnotatedRow>> read, bool inclusive, ObjectDetectorOptions options)
    {
        TextWriter error = parsed.InvocationConfiguration.Error;
        using IImageDetector detector = ImageDetector.Open(model, options);
        IReadOnlyList<AnnotatedRow> images = read();
        string[] named = [.. images.SelectMany(image => image.Label).Where(name => name.Length > 0).Distinct()
            .Order(StringComparer.Ordinal)];
        if (named.Length > 0 && !named.Intersect(detector.ClassNames).Any())
            error.WriteLine($"warning: the model knows none of the images' classes. It knows {ShortList.Of(detector.ClassNames)}; "
                + $"the images have {ShortList.Of(named)}.");
        var context = new MLContext();
        IEnumerable<EvaluatedRow> rows = images
            .Zip(WorkProgress.Over(detector.Detect(images.Select(image => image.ImagePath)), images.Count, "evaluate", "images",
                SharedOptions.NotesTo(parsed, error)), (truth, found) => new EvaluatedRow(truth, found));
        return context.EvaluateDetections(context.Data.LoadFromEnumerable(rows.ToArray()), inclusiveVocPixels: inclusive);
    }

    private static void WriteReport(
        ParseResult parsed, ReportOptionSet report, string model, (string Name, DetectorRole Role, string? Path)[] beside,
        IReadOnlyList<AnnotatedRow> images, ObjectDetectorOptions options, ObjectDetectorOptions teacherOptions)
    {
        bool isAlone = beside.All(entry => entry.Path is null);
        (string Name, DetectorRole Role, string? Path) main = isAlone ? (Path.GetFileName(model), DetectorRole.Model, model)
            : ("student distilled", DetectorRole.Distilled, model);
        IEnumerable<(string Name, DetectorRole Role, string? Path)> all =
            [.. beside.Append(main).Where(entry => entry.Path is not null).OrderBy(entry => entry.Role)];
        report.Write(parsed, $"Evaluation of {Path.GetFileName(model)}",
            () => [.. all.Select(entry => ModelReport.Measure(
                parsed, entry.Name, entry.Path!, images, OptionsOf(entry.Role, entry.Path!)).For(entry.Role))], images);

        ObjectDetectorOptions OptionsOf(DetectorRole role, string path) => role switch
        {
            _ when path == model && role is DetectorRole.Model or DetectorRole.Distilled => options,
            DetectorRole.Teacher => teacherOptions,
            _ => new ObjectDetectorOptions { MaxPixels = options.MaxPixels },
        };
    }

    /// <summary>How a report's teacher is read, which may be of another origin: by its classes, or told in words.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UsageException">It has no classes that are known.</exception>
    private static ObjectDetectorOptions OptionsOfTeacher(string? teacher, string? classes, ObjectDetectorOptions options)
    {
        var usual = new ObjectDetectorOptions { MaxPixels = options.MaxPixels };
        if (teacher is not null && !File.Exists(teacher)) throw new FileNotFoundException($"There is no model file '{teacher}'.", teacher);
        if (teacher is null || classes is null && TeacherOptionSet.IsOwn(teacher)) return usual;
        if (classes is not null) return usual with { ClassNames = Teacher.FromOnnx(teacher, OnnxDetectorFormat.Auto, classes).ClassNames };
        if (options.Prompts is not null) return usual with { Prompts = options.Prompts };
        return OnnxModelInspection.ClassNamesIn(teacher) is not null ? usual : throw new UsageException(
            $"--teacher '{teacher}' is a detector of another origin: give its classes with --teacher-classes, or where it is told in words "
            + "these with --prompt.");
    }

    private static DetectionMetrics OnFiles(string groundTruth, string detections, bool inclusive, TextWriter error)
    {
        CocoFileEvaluation evaluation = new MLContext().EvaluateCocoFiles(groundTruth, detections, inclusive);
        foreach (string warning in evaluation.Warnings) error.WriteLine($"warning: {warning}");
        return evaluation.Metrics;
    }
}
