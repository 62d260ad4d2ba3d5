using System.Globalization;
using Google.Protobuf;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// Parameters that lie in files beside the model's, as exporters write them for large models, and PyTorch's newer one for all.
/// </summary>
internal static class ExternalData
{
    /// <summary>Brings them into the model.</summary>
    /// <param name="path">The model's file.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="FormatException">
    /// A file lies elsewhere than beside the model or below it, or has not the bytes that it should.
    /// </exception>
    public static void Fill(ModelProto model, string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (TensorProto tensor in model.Graph.Initializer)
        {
            if (tensor.DataLocation != TensorProto.Types.DataLocation.External) continue;
            Dictionary<string, string> entries = [];
            foreach (StringStringEntryProto entry in tensor.ExternalData) entries[entry.Key] = entry.Value;
            string location = entries.GetValueOrDefault("location", "");
            if (!files.TryGetValue(location, out byte[]? content)) content = files[location] = Read(folder, location, path);
            long offset = Number(entries, "offset", 0), length = Number(entries, "length", content.Length - offset);
            if (offset < 0 || length < 0 || offset > content.Length || length > content.Length - offset) throw new FormatException(
                $"'{location}' beside '{path}' has {content.Length} bytes, and '{tensor.Name}' is said to be the "
                + $"{length} from {offset} on.");
            tensor.RawData = ByteString.CopyFrom(content, (int)offset, (int)length);
            tensor.DataLocation = TensorProto.Types.DataLocation.Default;
            tensor.ExternalData.Clear();
        }
    }

    private static byte[] Read(string folder, string location, string path)
    {
        // A model may come from anyone: it does not choose which files of this machine are read.
        if (location.Length == 0 || Path.IsPathRooted(location) || location.Split('/', '\\').Contains(".."))
            throw new FormatException($"'{path}' says that its parameters lie in '{location}', which is not beside it.");
        var file = new FileInfo(Path.Combine(folder, location));
        if (!file.Exists) throw new FileNotFoundException($"'{path}' has its parameters in '{location}', and that is not beside it.",
            file.FullName);
        InputFile.RefuseSpecial(file.FullName);
        if (file.Length > Array.MaxLength) throw new FormatException($"'{file.FullName}' has more than 2 GB of parameters.");
        return File.ReadAllBytes(file.FullName);
    }

    private static long Number(Dictionary<string, string> entries, string key, long otherwise)
        => long.TryParse(entries.GetValueOrDefault(key), NumberStyles.Integer, CultureInfo.InvariantCulture, out long number) ? number
            : otherwise;
}
