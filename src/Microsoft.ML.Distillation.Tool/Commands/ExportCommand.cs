using System.CommandLine;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;

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
            Description = "Leave out the preparation of the image: the input is then float [1,3,H,W], RGB, 0 to 1, at the network's size, and boxes are shares of the image.",
        };
        foreach (Option option in (Option[])[model, output, plain]) Options.Add(option);
        SetAction(parsed =>
        {
            (string source, string path) = (parsed.GetRequiredValue(model), parsed.GetRequiredValue(output));
            OutputCheck.File(parsed, output.Name, path);
            OnnxModelFile detector = FittedDetectors.In(source);
            if (DetectorGraph.IsPlain(detector)) throw new FormatException($"'{source}' is the plain form already, of which no other can be made: export the model that it came from.");
            AtomicFile.Write(path, (parsed.GetValue(plain) ? PlainForm.Of(detector) : detector).ToBytes());
            parsed.InvocationConfiguration.Output.WriteLine($"saved {path}");
        });
    }
}
