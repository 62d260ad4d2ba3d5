using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill compress</c>: takes the layers of a trained detector apart.</summary>
internal sealed class CompressCommand : System.CommandLine.Command
{
    public CompressCommand()
        : base("compress", "Makes a trained detector smaller by Tucker decomposition; 'distill --from' trains it further.")
    {
        Option<string> model = SharedOptions.RequiredPath("--model", "The trained detector (.zip or .onnx).", "FILE");
        Option<string> output = SharedOptions.RequiredOutput("The model to write (.zip or .onnx).", "FILE");
        Option<double?> flops = SharedOptions
            .Number("--flops", "The multiplications of the backbone's convolutions that remain, as a share. [default: only the layers of "
            + "--rank are taken apart]", double.Epsilon, 1);
        Option<double?> head = SharedOptions
            .Number("--head-flops", "The same for the head's fully connected layers. [default: as --flops]", double.Epsilon, 1);
        var rank = new Option<string[]>("--rank")
        {
            Description = "The channels in the middle of one layer, whatever the shares say: two numbers for a convolution "
                + "(backbone.conv2=6,10), one for a 1×1 convolution or a fully connected layer (head.fc6=60). Convolutions outside the "
                + "backbone (rpn.conv=60,80, fpn.layer_blocks.0.0=60,80) are taken apart by this alone. Can be given several times.",
            HelpName = "NAME=N[,N]",
        };
        foreach (Option option in (Option[])[model, flops, head, rank, output]) Options.Add(option);
        SetAction(parsed =>
        {
            TextWriter text = parsed.InvocationConfiguration.Output;
            string path = parsed.GetRequiredValue(output);
            OutputCheck.Model(parsed, output.Name, path);
            using var alone = new OutputLock(output.Name, path);
            Dictionary<string, IReadOnlyList<int>> ranks = Ranks(parsed.GetValue(rank) ?? []);
            if (parsed.GetValue(flops) is null && parsed.GetValue(head) is null && ranks.Count == 0)
                throw new UsageException("Say what is to remain: --flops, --head-flops or --rank.");
            TrainedDetector parts = TrainedDetector.FromModel(parsed.GetRequiredValue(model)).Compressed(new CompressionOptions
            {
                FlopsShare = parsed.GetValue(flops),
                HeadFlopsShare = parsed.GetValue(head),
                Ranks = ranks,
                Report = report => CompressionTable.Write(text, report),
            });
            PipelineFile.Save(parts, path);
            text.WriteLine($"saved {path}");
        });
    }

    private static Dictionary<string, IReadOnlyList<int>> Ranks(string[] given)
    {
        var ranks = new Dictionary<string, IReadOnlyList<int>>();
        foreach (string text in given)
        {
            string[] parts = text.Split('=');
            int[] numbers = [.. parts[^1].Split(',')
                .Select(number => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0)];
            if (parts.Length != 2 || parts[0].Length == 0 || numbers.Length > 2 || numbers.Contains(0))
                throw new UsageException($"--rank must be a layer with one or two whole numbers above 0, for example head.fc6=60, not "
                    + $"'{text}'.");
            if (!ranks.TryAdd(parts[0], numbers)) throw new UsageException($"--rank names the layer '{parts[0]}' twice.");
        }

        return ranks;
    }
}

/// <summary>What compression made of a detector.</summary>
internal static class CompressionTable
{
    /// <summary>Writes each layer with its ranks, what remains of its multiplications, and what is lost of its weights; then the
    /// whole.</summary>
    public static void Write(TextWriter output, CompressionReport report)
    {
        int width = report.Layers.Select(layer => layer.Name.Length).Append(5).Max();
        output.WriteLine($"{"layer".PadRight(width)}  ranks      flops   error");
        foreach (LayerCompression layer in report.Layers)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{layer.Name.PadRight(width)}  {string.Join('×', layer.Ranks),-9}{100 * layer.FlopsShare,6:0.0} "
                    + $"%{100 * layer.Error,6:0.0} %"));
        }

        string head = report.HeadFlopsShare < 1
            ? string.Create(CultureInfo.InvariantCulture, $" and {100 * report.HeadFlopsShare:0.0} % of the head's") : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{100 * report.FlopsShare:0.0} % of the backbone's multiplications{head} remain; {report.Parameters:N0} of "
                + $"{report.ParametersBefore:N0} parameters"));
    }
}
