using Microsoft.ML.Distillation.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>Puts the parameters of a file into a backbone, by torchvision's names.</summary>
internal static class BackboneParameters
{
    /// <summary>What data-parallel training puts before every name.</summary>
    private const string ParallelPrefix = "module.";

    /// <summary>A count of batches, which old checkpoints lack and nothing needs.</summary>
    private const string BatchCount = "num_batches_tracked";

    /// <summary>Fills parameters from a file; all of them, or none if the file does not fit.</summary>
    /// <param name="parameters">The network's parameters and buffers by torchvision's names.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is no file of weights, or damaged.</exception>
    /// <exception cref="WeightsMismatchException">Parameters are missing, unexpected or of another shape.</exception>
    public static void Load(Backbone backbone, StartingWeights weights, IReadOnlyDictionary<string, Tensor> parameters)
    {
        string path = weights.Path;
        using WeightsFile file = WeightsFile.Open(path);
        Dictionary<string, string> renamed = Rename(file, weights.Rename, path);
        ICheckpointDialect? dialect = CheckpointLayout.Of(backbone).Dialects.FirstOrDefault(d => d.Speaks(renamed.Keys));
        if (dialect is not null) renamed = renamed.ToDictionary(e => dialect.Translate(e.Key), e => e.Value);

        Dictionary<string, long[]> shapes = renamed.ToDictionary(e => e.Key, e => file.Tensors[e.Value].Shape);
        if (Mismatch(backbone, path, shapes, parameters) is { } mismatch) throw mismatch;
        using IDisposable noGradients = no_grad();
        foreach ((string name, Tensor parameter) in parameters)
        {
            if (!renamed.TryGetValue(name, out string? stored)) continue;
            using DisposeScope scope = NewDisposeScope();
            Tensor values = file.Read(stored);
            parameter.copy_(dialect?.Arrange(name, values) ?? values);
        }
    }

    /// <summary>From names after renaming to names in the file.</summary>
    private static Dictionary<string, string> Rename(WeightsFile file, Func<string, string?>? rename, string path)
    {
        bool parallel = file.Tensors.Count > 0 && file.Tensors.Keys.All(n => n.StartsWith(ParallelPrefix, StringComparison.Ordinal));
        var renamed = new Dictionary<string, string>();
        foreach (string stored in file.Tensors.Keys)
        {
            string name = parallel ? stored[ParallelPrefix.Length..] : stored;
            string? wanted = rename is null ? name : rename(name);
            if (wanted is not null && !renamed.TryAdd(wanted, stored))
                throw new FormatException(
                    $"In '{path}', '{ShortText.Of(stored)}' and '{ShortText.Of(renamed[wanted])}' are both named '{ShortText.Of(wanted)}' "
                        + $"after renaming.");
        }

        return renamed;
    }

    /// <summary>What keeps a file from fitting a network, or null.</summary>
    /// <param name="stored">The shapes in the file by torchvision's names.</param>
    public static WeightsMismatchException? Mismatch(
        Backbone backbone, string path, IReadOnlyDictionary<string, long[]> stored, IReadOnlyDictionary<string, Tensor> parameters)
    {
        IReadOnlyList<string> rest = CheckpointLayout.Of(backbone).Rest;
        string[] missing = [.. parameters.Keys.Where(n => !stored.ContainsKey(n) && !n.EndsWith(BatchCount, StringComparison.Ordinal))];
        string[] unexpected = [.. stored.Keys
            .Where(n => !parameters.ContainsKey(n) && !rest.Any(r => n.StartsWith(r, StringComparison.Ordinal)))];
        var wronglyShaped = new List<string>();
        foreach ((string name, Tensor parameter) in parameters)
        {
            if (stored.TryGetValue(name, out long[]? shape) && !shape.SequenceEqual(parameter.shape))
                wronglyShaped.Add($"{name} is {ShortText.Of(shape)} in the file and {ShortText.Of(parameter.shape)} in the "
                    + $"network");
        }

        bool fits = missing.Length == 0 && unexpected.Length == 0 && wronglyShaped.Count == 0;
        return fits ? null : new WeightsMismatchException($"{backbone.Kind}", path, missing, unexpected, wronglyShaped);
    }
}
