using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A trained network before its export: a .safetensors file of its state dict that also says how the network is made. What training
/// leaves where something fails after it; a checkpoint is one too.
/// </summary>
internal static class TrainedWeightsFile
{
    /// <summary>How the names of such files end.</summary>
    public const string Ending = ".weights.safetensors";

    private const string WeightsPrefix = "module.0.";

    /// <summary>Under what names the weights may stand in the order of preference: the best, the averaged, the last.</summary>
    private static readonly string[] Prefixes = ["best.", "averaged.", WeightsPrefix];

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="notes">What an exported model's metadata are to say too, by key.</param>
    public static void Write(string path, Detector detector, IReadOnlyDictionary<string, string> notes)
    {
        Dictionary<string, string> about = DetectorFile.About(detector);
        foreach ((string key, string note) in notes) about[key] = note;
        SafetensorsFile.Write(path, detector.state_dict().ToDictionary(entry => WeightsPrefix + entry.Key, entry => entry.Value), about);
    }

    /// <summary>Whether a file is one of tensors, to be told from models.</summary>
    public static bool IsWeights(string path)
    {
        if (!File.Exists(path) || FileKind.IsSpecial(path)) return false;
        using FileStream file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[9];
        // The length of the header, which is below 2 to the power of 32, and the header.
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start[4..8].SequenceEqual("\0\0\0\0"u8) && start[8] == '{';
    }

    /// <summary>The export of the network in a file.</summary>
    /// <param name="note">The key of a note that the export is to have, if the file has it.</param>
    /// <param name="last">Whether a checkpoint's last weights are taken, not its best.</param>
    /// <exception cref="FormatException">The file is damaged, or of something else.</exception>
    public static OnnxModelFile Export(string path, string note, bool last = false)
    {
        using WeightsFile file = WeightsFile.Open(path);
        if (file is not SafetensorsFile { Metadata: var about }
            || !about.TryGetValue(DetectorGraph.ArchitectureKey, out string? description))
            throw new FormatException($"'{path}' holds weights, but not those of a detector that this library trained.");
        try
        {
            using Detector detector = DetectorFile.Build(description, about, file.Tensors.Values.Sum(tensor => (double)tensor.Count));
            Fill(detector, file, last);
            OnnxModelFile export = DetectorFile.Export(detector);
            return about.TryGetValue(note, out string? text) ? export.With(note, text) : export;
        }
        catch (Exception e) when (e is FormatException || DetectorDescription.IsOfTheFile(e))
        {
            throw new FormatException($"'{path}' is damaged: {e.Message}", e);
        }
    }

    private static void Fill(Detector detector, WeightsFile file, bool last)
    {
        string prefix = last ? WeightsPrefix : Prefixes.First(prefix => prefix == WeightsPrefix
            || file.Tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)));
        using IDisposable frozen = no_grad();
        foreach ((string name, Tensor target) in detector.state_dict())
        {
            using DisposeScope scope = NewDisposeScope();
            if (!file.Tensors.TryGetValue(prefix + name, out StoredTensor? stored) || !stored.Shape.SequenceEqual(target.shape))
                throw new FormatException($"There is no tensor '{prefix}{name}' of shape [{string.Join(',', target.shape)}].");
            target.copy_(file.Read(prefix + name));
        }
    }
}
