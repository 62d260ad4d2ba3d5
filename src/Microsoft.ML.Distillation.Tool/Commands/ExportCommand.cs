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
        Option<string> output = SharedOptions.RequiredPath(
            "--output", "The .onnx, or by its ending the ML.NET model (.zip), to write.", "FILE");
        var plain = new Option<bool>("--plain")
        {
            Description = "Leave out the preparation of the image: the input is then float [1,3,H,W], RGB, 0 to 1, at the network's size, "
                + "and boxes are shares of the image.",
        };
        foreach (Option option in (Option[])[model, output, plain]) Options.Add(option);
        SetAction(parsed =>
        {
            (string source, string path) = (parsed.GetRequiredValue(model), parsed.GetRequiredValue(output));
            OutputCheck.File(parsed, output.Name, path);
            bool isPlain = parsed.GetValue(plain), isPipeline = Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase);
            if (isPlain && isPipeline) throw new UsageException(
                $"{output.Name} '{path}' would be an ML.NET model, and {plain.Name} is a form of ONNX: end it in .onnx.");
            using var alone = new OutputLock(output.Name, path);
            TrainedDetector detector = TrainedDetector.FromModel(source);
            if (isPipeline) detector.SavePipeline(path);
            else detector.SaveOnnx(path, isPlain);
            parsed.InvocationConfiguration.Output.WriteLine($"saved {path}");
        });
    }
}
