using System.CommandLine;
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
        Option<string> output = SharedOptions
            .RequiredOutput("The model to write: an ML.NET model (.zip), or by its ending an .onnx.", "FILE");
        Option<LowPrecision?> precision = PrecisionOptionSet.Precision("The bits: w8a8, w4a8, w2a8, w8, w4 or w2. [default: w8a8]");
        Option<string> quantizer = PrecisionOptionSet.Quantizer();
        Option<bool> all = PrecisionOptionSet.AllLayers();
        Option<int?> count = SharedOptions
            .Count("--calibration-images", "How many of the images to take, spread over the folder. [default: 64]");
        foreach (Option option in (Option[])[model, images, output, precision, quantizer, all, count]) Options.Add(option);
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
        });
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
        output.WriteLine($"saved {path} ({precision}, calibrated on {images.Count} images)");
    }

    private static IReadOnlyList<string> Spread(IReadOnlyList<string> images, int count)
        => images.Count <= count ? images : [.. Enumerable.Range(0, count).Select(i => images[(int)((long)i * images.Count / count)])];
}
