using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill compress</c>: takes the layers of a trained detector apart.</summary>
internal sealed class CompressCommand : System.CommandLine.Command
{
    public CompressCommand()
        : base("compress", "Makes a trained detector smaller by Tucker decomposition; 'distill --from' trains it further.")
    {
        Option<string> model = SharedOptions.RequiredPath("--model", "The trained detector (.zip or .onnx).", "FILE");
        Option<string> output = SharedOptions.RequiredPath("--output", "The model to write (.zip or .onnx).", "FILE");
        Option<double?> flops = SharedOptions.Number("--flops", "The multiplications of the backbone's convolutions that remain, as a share.", double.Epsilon, 1);
        flops.Required = true;
        Option<double?> head = SharedOptions.Number("--head-flops", "The same for the head's fully connected layers. [default: as --flops]", double.Epsilon, 1);
        foreach (Option option in (Option[])[model, flops, head, output]) Options.Add(option);
        SetAction(parsed =>
        {
            TextWriter text = parsed.InvocationConfiguration.Output;
            string path = parsed.GetRequiredValue(output);
            TrainedDetector parts = TrainedDetector.FromModel(parsed.GetRequiredValue(model)).Compressed(new CompressionOptions
            {
                FlopsShare = parsed.GetValue(flops),
                HeadFlopsShare = parsed.GetValue(head),
                Report = report => CompressionTable.Write(text, report),
            });
            PipelineFile.Save(parts, path);
            text.WriteLine($"saved {path}");
        });
    }
}
