using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill quantize</c>: lowers the precision of a trained model without training it.</summary>
internal sealed class QuantizeCommand : System.CommandLine.Command
{
    public QuantizeCommand()
        : base("quantize", "Lowers the precision of a trained model without training it, with ranges taken from images.")
    {
        Option<string> model = SharedOptions.RequiredPath("--model", "The full-precision model (.zip or .onnx).", "FILE");
        Option<string> images = SharedOptions.RequiredPath("--images",
            "A folder of images like those that the model will see, best those it was trained on; labels are not needed.");
        Option<string?> data = SharedOptions.Path("--data", "Annotated images on which to say what the lower precision costs.", "DIR");
        var format = new FormatOptionSet();
        Option<string?> split = SharedOptions
            .Split("--split", "Their part, or 'all'. [default: test where there is one, else all]");
        Option<string> output = SharedOptions
            .RequiredOutput("The model to write: an ML.NET model (.zip), or by its ending an .onnx.", "FILE");
        Option<LowPrecision?> precision = PrecisionOptionSet.Precision("The bits: w8a8, w4a8, w2a8, w8, w4 or w2. [default: w8a8]");
        Option<string> quantizer = PrecisionOptionSet.Quantizer();
        Option<bool> all = PrecisionOptionSet.AllLayers();
        Option<int?> count = SharedOptions
            .Count("--calibration-images", "How many of the images to take, spread over the folder. [default: 64]");
        Option<bool> skip = SharedOptions.SkipInvalid();
        foreach (Option option in (Option[])[model, images, output, precision, quantizer, all, count, data, split, skip])
            Options.Add(option);
        format.AddTo(Options);
        SetAction(parsed =>
        {
            OutputCheck.Model(parsed, output.Name, parsed.GetRequiredValue(output));
            using var alone = new OutputLock(output.Name, parsed.GetRequiredValue(output));
            TextWriter error = parsed.InvocationConfiguration.Error, notes = SharedOptions.NotesTo(parsed, error);
            long maxPixels = SharedOptions.MaxPixelsIn(parsed);
            bool skips = parsed.GetValue(skip);
            var trained = TrainedDetector.FromModel(parsed.GetRequiredValue(model));
            IReadOnlyList<string> files = InputImages.Find(parsed.GetRequiredValue(images));
            if (skips) files = TestImages.Readable(files, maxPixels, error, notes);
            Run(
                parsed,
                trained,
                Spread(files, parsed.GetValue(count) ?? 64),
                PrecisionOptionSet.Complete(parsed.GetValue(precision) ?? LowPrecision.W8A8, parsed.GetRequiredValue(quantizer),
                    parsed.GetValue(all)),
                parsed.GetRequiredValue(output));
            if (parsed.GetValue(data) is not { } annotated) return;
            DataFolder measured = format.At(parsed, annotated) with { SkipsInvalid = skips };
            IReadOnlyList<AnnotatedRow> rows = measured.Load(measured.Choose(parsed.GetValue(split), "test"));
            SayCost(parsed, parsed.GetRequiredValue(model), parsed.GetRequiredValue(output),
                skips ? TestImages.Checked(rows, skip: true, maxPixels, error, notes) : rows);
        });
    }

    private static void SayCost(ParseResult parsed, string whole, string quantized, IReadOnlyList<AnnotatedRow> images)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        ModelReport before = ModelReport.Measure(parsed, "full precision", whole, images);
        ModelReport after = ModelReport.Measure(parsed, "quantized", quantized, images);
        ComparisonTable.Write(output, [before, after]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"the lower precision changes AP by {100 * (after.Metrics.AveragePrecision - before.Metrics.AveragePrecision):+0.0;-0.0;0.0} "
            + $"points, on {Counted.Of(images.Count, "image")}; its file is {(double)before.Bytes / after.Bytes:0.0} times smaller"));
    }

    private static void Run(ParseResult parsed, TrainedDetector trained, IReadOnlyList<string> images, LowPrecision precision, string path)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        MLContext context = TrainingSession.CreateContext(parsed, seed: 1);
        IDataView files = context.Data.LoadFromEnumerable(WorkProgress
            .Over(images, images.Count, "quantize", "images", SharedOptions.NotesTo(parsed, parsed.InvocationConfiguration.Error))
            .Select(image => new AnnotatedRow { ImagePath = image }));
        IDataView loaded = context.Transforms.LoadUprightImages("Image", inputColumnName: nameof(AnnotatedRow.ImagePath),
            maxPixels: SharedOptions.MaxPixelsIn(parsed))
            .Fit(files).Transform(files);
        using DetectorTransformer detector = context.Transforms.QuantizeDetector(
            new QuantizeDetectorOptions { Detector = trained, Precision = precision, CalibrationImages = images.Count }).Fit(loaded);
        PipelineFile.Save(TrainedDetector.FromModel(detector), path);
        output.WriteLine($"saved {path} ({precision}, calibrated on {Counted.Of(images.Count, "image")})");
    }

    private static IReadOnlyList<string> Spread(IReadOnlyList<string> images, int count)
        => images.Count <= count ? images : [.. Enumerable.Range(0, count).Select(i => images[(int)((long)i * images.Count / count)])];
}
