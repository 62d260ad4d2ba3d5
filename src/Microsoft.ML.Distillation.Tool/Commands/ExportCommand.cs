using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill export</c>: writes a model as one ONNX file.</summary>
internal sealed class ExportCommand : System.CommandLine.Command
{
    public ExportCommand()
        : base("export", "Writes a model as one ONNX file, from the bytes of an image to boxes, scores and classes, or as an ML.NET model; "
            + "also one of which training left the weights alone.")
    {
        Option<string> model = SharedOptions.RequiredPath("--model", "The model (.zip, or an .onnx that is not plain), or trained "
            + "weights: the .safetensors that an error names, or a checkpoint.", "FILE");
        Option<string> output = SharedOptions.RequiredOutput(
            "The .onnx, or by its ending the ML.NET model (.zip), to write.", "FILE");
        var plain = new Option<bool>("--plain")
        {
            Description = "The same as --form plain.",
        };
        Option<string?> form = SharedOptions.OptionalChoice("--form",
            "What the .onnx takes and gives. whole: the bytes of an image of any size, and detections in its pixels. plain: "
                + "without the preparation of the image; the input is float [1,3,H,W], RGB, 0 to 1, at the network's size, and boxes are "
                + "shares of the image. raw: plain without the choice among boxes, of fixed shapes, for converters to phones and "
                + "accelerators; boxes [1,N,4] and scores [1,N,C] (one-stage detectors alone). [default: whole]",
            "whole", "plain", "raw");
        var half = new Option<bool>("--half")
        {
            Description = "Layers and weights in half precision (float16): half the size, faster where the processor computes with it.",
        };
        Option<double?> score = SharedOptions.Number("--score", "The score below which the .onnx itself leaves detections out, as "
            + "evaluate advises it. Measure the model without it. [default: as trained]", double.Epsilon, 1);
        foreach (Option option in (Option[])[model, output, form, half, score, plain]) Options.Add(option);
        SetAction(parsed =>
        {
            (string source, string path) = (parsed.GetRequiredValue(model), parsed.GetRequiredValue(output));
            OutputCheck.Model(parsed, output.Name, path);
            bool isPipeline = Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase);
            OnnxForm asked = parsed.GetValue(form) is { } word ? Enum.Parse<OnnxForm>(word, ignoreCase: true) : OnnxForm.Whole;
            var options = new OnnxExportOptions
            {
                Form = parsed.GetValue(plain) ? OnnxForm.Plain : asked,
                Half = parsed.GetValue(half),
                ScoreThreshold = parsed.GetValue(score),
            };
            if (parsed.GetValue(plain) && parsed.GetValue(form) is not null && asked != OnnxForm.Plain)
                throw new UsageException($"{plain.Name} is the same as {form.Name} plain: leave it out.");
            if (options is { Form: OnnxForm.Raw, ScoreThreshold: not null }) throw new UsageException(
                $"{score.Name} does not go with {form.Name} raw, which chooses nothing: choose by score where it is run, or export the "
                    + "whole or plain form.");
            if (isPipeline && options != new OnnxExportOptions())
            {
                string wanted = parsed.GetValue(plain) ? plain.Name : options.Form != OnnxForm.Whole ? form.Name
                    : options.Half ? half.Name : score.Name;
                throw new UsageException(
                    $"{output.Name} '{path}' would be an ML.NET model, and {wanted} is for ONNX alone: end it in .onnx.");
            }

            using var alone = new OutputLock(output.Name, path);
            TrainedDetector detector = TrainedDetector.FromModel(source);
            if (isPipeline) detector.SavePipeline(path);
            else detector.SaveOnnx(path, options);
            parsed.InvocationConfiguration.Output.WriteLine($"saved {path}");
        });
    }
}
