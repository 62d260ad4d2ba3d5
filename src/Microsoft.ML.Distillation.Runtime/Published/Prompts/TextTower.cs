using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>CLIP's text tower as ONNX: turns phrases into embeddings, each divided by its length.</summary>
internal static class TextTower
{
    // CLIP's.
    private const int Length = 77;

    /// <summary>The embeddings of phrases.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="dimension">The length that the detector takes; <see langword="null"/>: any.</param>
    /// <exception cref="FormatException">The file cannot be loaded, or is no text tower.</exception>
    public static float[][] Embed(string path, PhraseTokenizer tokenizer, IReadOnlyList<string> phrases, int? dimension,
        OnnxDetectorOptions options)
    {
        LoadedModel model = SessionLoader.Load(path, [], options);
        using InferenceSession session = model.Session;
        string[] inputs = [.. session.InputNames];
        if (inputs.FirstOrDefault(name => session.InputMetadata[name].Dimensions.Length > 2) is { } image)
        {
            throw new FormatException($"'{path}' is no text tower of CLIP: its input '{image}' is no row of tokens. The whole of "
                + "CLIP takes images too; its text tower alone is needed.");
        }

        string? mask = inputs.FirstOrDefault(name => name.Contains("mask", StringComparison.OrdinalIgnoreCase)
            || session.InputMetadata[name].ElementDataType == TensorElementType.Bool);
        if (inputs.Where(name => name != mask).ToArray() is not [string ids] || session.InputMetadata[ids].Dimensions.Length != 2)
        {
            throw new FormatException($"'{path}' is no text tower of CLIP: it takes "
                + $"{string.Join(", ", inputs.Select(name => $"'{name}'"))}, "
                + "and the numbers of tokens [N, 77] are expected, with a mask or without.");
        }

        var rows = new PhraseRows(session, ids, mask, tokenizer, path, Length);
        var embeddings = new List<float[]>();
        foreach (string[] some in phrases.Chunk(rows.Rows ?? phrases.Count)) embeddings.AddRange(Run(session, rows, some, path, dimension));
        return [.. embeddings];
    }

    private static IEnumerable<float[]> Run(InferenceSession session, PhraseRows rows, string[] phrases, string path, int? dimension)
    {
        Dictionary<string, OrtValue> inputs = rows.Of(phrases).ToDictionary(input => input.Name, input => input.ToValue());
        string[] names = [.. session.OutputNames.Where(name => session.OutputMetadata[name].IsTensor)];
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> values = Cancellable.Run(session, inputs, names, CancellationToken.None);
            OnnxOutput[] outputs = [.. names.Select((name, i) => OutputReader.Read(name, values[i], 1, batched: false)![0])
                .Where(output => !output.IsInteger && IsTable(output, rows.Rows ?? phrases.Length))
                .OrderByDescending(output => output.Name.Contains("embed", StringComparison.OrdinalIgnoreCase)
                    || output.Name.Contains("feature", StringComparison.OrdinalIgnoreCase))];
            OnnxOutput? found = outputs.FirstOrDefault(output => dimension is null || output.Shape[^1] == dimension);
            if (found is null)
            {
                string seen = outputs.Length == 0 ? "it gives none" : "it gives "
                    + string.Join(", ", outputs.Select(output => $"{output}"));
                throw new FormatException($"'{path}' is not the text tower of this detector, which takes embeddings "
                    + $"[N, {(dimension is int d ? $"{d}" : "D")}]: {seen}.");
            }

            int length = found.Shape[^1];
            for (int i = 0; i < phrases.Length; i++)
            {
                float[] row = found.Values.Slice(i * length, length).ToArray();
                EmbeddingsFile.Normalise(row);
                yield return row;
            }
        }
        finally
        {
            foreach (OrtValue input in inputs.Values) input.Dispose();
        }
    }

    private static bool IsTable(OnnxOutput output, int rows)
        => output.Shape.Count >= 2 && output.Shape[^2] == rows && output.Shape.Take(output.Shape.Count - 2).All(side => side == 1);
}
