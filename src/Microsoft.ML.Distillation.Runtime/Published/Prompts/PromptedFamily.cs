using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>Finds out of which family a graph that is told in words is.</summary>
internal static class PromptedFamily
{
    /// <summary>OWL's texts have 16 tokens.</summary>
    public const int OwlTokens = 16;

    private const int DinoColumns = 256, ClipTokens = 77;

    /// <summary>The sides in pixels of the inputs of OWL-ViT and OWLv2: of the base models, then of the large ones.</summary>
    public static IReadOnlyList<int> OwlVitSides { get; } = [768, 840];

    /// <inheritdoc cref="OwlVitSides"/>
    public static IReadOnlyList<int> OwlV2Sides { get; } = [960, 1008];

    // Numbers of predictions: OWL-ViT base/32, base/16, OWLv2 large/14.
    private const int OwlVitPatches32 = 576, OwlVitPatches16 = 2304, OwlV2LargePatches = 5184;

    /// <summary>The formats of detectors that are told in words.</summary>
    public static bool IsPrompted(OnnxDetectorFormat format) => format is OnnxDetectorFormat.GroundingDino or OnnxDetectorFormat.OwlVit
        or OnnxDetectorFormat.OwlV2 or OnnxDetectorFormat.YoloWorld;

    /// <summary>The family.</summary>
    /// <param name="asked">What the caller says.</param>
    /// <param name="path">The model's file, beside which its configuration may lie.</param>
    /// <exception cref="FormatException">It is none, or may be several.</exception>
    /// <exception cref="ArgumentException">The caller names another.</exception>
    public static OnnxDetectorFormat Of(InferenceSession session, PromptedInputs inputs, OnnxDetectorFormat asked, string path)
    {
        if (!inputs.AreWords)
        {
            string names = string.Join(", ", session.InputNames.Select(name => $"'{name}'"));
            throw new FormatException($"The detector '{path}' is not told in words: it takes {names}, "
                + $"and neither the numbers of tokens nor embeddings. If its words are burnt in, or it is a detector of fixed classes, "
                + $"give its class names and no prompts.");
        }

        if (asked != OnnxDetectorFormat.Auto && !IsPrompted(asked))
            throw new ArgumentException($"The format {asked} is not told in words: leave it out, or the prompts.");
        OnnxDetectorFormat[] fits = inputs.Ids is null ? [OnnxDetectorFormat.YoloWorld] : [.. OfTokens(session, inputs, path)];
        if (asked != OnnxDetectorFormat.Auto && asked != OnnxDetectorFormat.YoloWorld && inputs.Ids is not null) return asked;
        if (asked != OnnxDetectorFormat.Auto && !fits.Contains(asked)) throw new ArgumentException(
            $"The detector '{path}' is no {asked}: {(inputs.Ids is null ? "it takes embeddings of phrases" : "it takes tokens")}.");
        if (fits is [var family]) return family;
        throw new FormatException($"The detector '{path}' is told in words, and may be {string.Join(" or ", fits)}: nothing in its "
            + "graph, nor a config.json beside it, tells. Name the format.");
    }

    private static IEnumerable<OnnxDetectorFormat> OfTokens(InferenceSession session, PromptedInputs inputs, string path)
    {
        if (inputs.Segments is not null || inputs.Positions is not null || inputs.PhraseMask is not null || inputs.PixelMask is not null)
            return [OnnxDetectorFormat.GroundingDino];
        if (Configured(path) is { } configured) return [configured];
        NodeMetadata ids = session.InputMetadata[inputs.Ids!];
        NodeMetadata[] outputs = [.. session.OutputMetadata.Values.Where(output => output.IsTensor)];
        NodeMetadata[] tables = [.. outputs.Where(output => output.Dimensions.Length == 3)];
        // OWL's scores have a column for each text, Grounding DINO's one for each token, filled up to 256.
        bool hasTexts = tables.Any(output => SameAxis(ids, 0, output, 2)
            || (ids.Dimensions[0] > 0 && output.Dimensions[2] == ids.Dimensions[0]));
        bool hasTokens = tables.Any(output => SameAxis(ids, 1, output, 2) || output.Dimensions[2] == DinoColumns);
        bool isOwl = hasTexts || (!hasTokens && (ids.Dimensions[0] > 1 || ids.Dimensions[1] == OwlTokens
            || session.OutputNames.Any(name => name.Contains("embed", StringComparison.OrdinalIgnoreCase))));
        bool isCaption = !isOwl && (hasTokens || ids.Dimensions[1] > ClipTokens);
        if (isCaption) return [OnnxDetectorFormat.GroundingDino];
        return isOwl ? Owls(session, inputs, outputs, path)
            : [OnnxDetectorFormat.GroundingDino, OnnxDetectorFormat.OwlVit, OnnxDetectorFormat.OwlV2];
    }

    private static IEnumerable<OnnxDetectorFormat> Owls(
        InferenceSession session, PromptedInputs inputs, NodeMetadata[] outputs, string path)
    {
        int side = inputs.Image.Width ?? inputs.Image.Height ?? 0;
        int[] predictions = [.. outputs.Where(output => output.Dimensions.Length == 3).Select(output => output.Dimensions[1])];
        if (session.OutputNames.Any(name => name.Contains("objectness", StringComparison.OrdinalIgnoreCase)) || OwlV2Sides.Contains(side)
            || predictions.Contains(OwlV2LargePatches)) return [OnnxDetectorFormat.OwlV2];
        if (OwlVitSides.Contains(side) || predictions.Contains(OwlVitPatches32) || predictions.Contains(OwlVitPatches16))
            return [OnnxDetectorFormat.OwlVit];
        string name = Path.GetFullPath(path).Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        if (name.Contains("owlv2", StringComparison.OrdinalIgnoreCase)) return [OnnxDetectorFormat.OwlV2];
        if (name.Contains("owlvit", StringComparison.OrdinalIgnoreCase)) return [OnnxDetectorFormat.OwlVit];
        return [OnnxDetectorFormat.OwlVit, OnnxDetectorFormat.OwlV2];
    }

    /// <summary>The family by the config.json that Hugging Face keeps beside a model or in the folder above.</summary>
    private static OnnxDetectorFormat? Configured(string path)
    {
        string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
        foreach (string? place in (string?[])[folder, Path.GetDirectoryName(folder)])
        {
            if (place is null || Path.Combine(place, "config.json") is var file && !File.Exists(file)) continue;
            try
            {
                using FileStream stream = InputFile.OpenRead(Path.Combine(place, "config.json"));
                using JsonDocument document = JsonDocument.Parse(stream);
                if (document.RootElement.ValueKind != JsonValueKind.Object
                    || !document.RootElement.TryGetProperty("model_type", out JsonElement type)) continue;
                switch (type.ToString())
                {
                    case "owlvit": return OnnxDetectorFormat.OwlVit;
                    case "owlv2": return OnnxDetectorFormat.OwlV2;
                    case "grounding-dino" or "mm-grounding-dino": return OnnxDetectorFormat.GroundingDino;
                }
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
            {
                // Whatever it is, it does not tell.
            }
        }

        return null;
    }

    private static bool SameAxis(NodeMetadata input, int axis, NodeMetadata output, int other)
        => input.SymbolicDimensions[axis] is { Length: > 0 } name && name == output.SymbolicDimensions[other];
}
