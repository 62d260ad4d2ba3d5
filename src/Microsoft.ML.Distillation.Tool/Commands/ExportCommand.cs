using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill export</c>: writes a model as one ONNX file.</summary>
internal sealed class ExportCommand : System.CommandLine.Command
{
    public ExportCommand()
        : base("export", "Writes a model as one ONNX file: from the bytes of an image to boxes, scores and classes.")
    {
        Option<string> model = SharedOptions.RequiredPath("--model", "The model (.zip, or an .onnx that is not plain).", "FILE");
        Option<string> output = SharedOptions.RequiredPath("--output", "The .onnx to write.", "FILE");
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
            if (Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"{output.Name} '{path}' would be an ML.NET model, and 'export' writes ONNX: end it in .onnx.");
            TrainedDetector.FromModel(source).SaveOnnx(path, parsed.GetValue(plain));
            parsed.InvocationConfiguration.Output.WriteLine($"saved {path}");
        });
    }
}
