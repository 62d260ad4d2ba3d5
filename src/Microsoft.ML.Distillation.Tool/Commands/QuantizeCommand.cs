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
            .Text("--split", "Their part, or 'all'. [default: test where there is one, else all]", "NAME");
        Option<string> output = SharedOptions
            .RequiredOutput("The model to write: an ML.NET model (.zip), or by its ending an .onnx.", "FILE");
        Option<LowPrecision?> precision = PrecisionOptionSet.Precision("The bits: w8a8, w4a8, w2a8, w8, w4 or w2. [default: w8a8]");
        Option<string> quantizer = PrecisionOptionSet.Quantizer();
        Option<bool> all = PrecisionOptionSet.AllLayers();
        Option<int?> count = SharedOptions
            .Count("--calibration-images", "How many of the images to take, spread over the folder. [default: 64]");
        foreach (Option option in (Option[])[model, images, output, precision, quantizer, all, count, data, split]) Options.Add(option);
        format.AddTo(Options);
        SetAction(parsed =>
        {
            OutputCheck.Model(parsed, output.Name, parsed.GetRequiredValue(output));
            using var alone = new OutputLock(output.Name, parsed.GetRequiredValue(output));
            Run(
                parsed,
                TrainedDetector.FromModel(parsed.GetRequiredValue(model)),
                Spread(InputImages.Find(parsed.GetRequiredValue(images)), parsed.GetValue(count) ?? 64),
                PrecisionOptionSet.Complete(parsed.GetValue(precision) ?? LowPrecision.W8A8, parsed.GetRequiredValue(quantizer),
                    parsed.GetValue(all)),
                parsed.GetRequiredValue(output));
            if (parsed.GetValue(data) is not { } annotated) return;
            DataFolder measured = format.At(parsed, annotated);
            SayCost(parsed, parsed.GetRequiredValue(model), parsed.GetRequiredValue(output),
                measured.Load(measured.Choose(parsed.GetValue(split), "test")));
        });
    }

    private static void SayCost(ParseResult parsed, string whole, string quantized, IReadOnlyList<AnnotatedRow> images)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        long maxPixels = SharedOptions.MaxPixelsIn(parsed);
        ModelReport before = ModelReport.Measure("full precision", whole, images, maxPixels);
        ModelReport after = ModelReport.Measure("quantized", quantized, images, maxPixels);
        ComparisonTable.Write(output, [before, after]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"the lower precision changes AP by {100 * (after.Metrics.AveragePrecision - before.Metrics.AveragePrecision):+0.0;-0.0;0.0} "
            + $"points, on {Counted.Of(images.Count, "image")}; its file is {(double)before.Bytes / after.Bytes:0.0} times smaller"));
    }

    private static void Run(ParseResult parsed, TrainedDetector trained, IReadOnlyList<string> images, LowPrecision precision, string path)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        MLContext context = TrainingSession.CreateContext(seed: 1, parsed.GetValue(SharedOptions.Verbose), error);
        IDataView files = context.Data.LoadFromEnumerable(images.Select(image => new AnnotatedRow { ImagePath = image }));
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
