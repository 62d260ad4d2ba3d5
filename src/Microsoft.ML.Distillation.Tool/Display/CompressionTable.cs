using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Display;

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
