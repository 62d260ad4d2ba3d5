using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>A hash of an ONNX model and of all options that have a part in its answers: equal where the answers are.</summary>
internal static class OnnxFingerprint
{
    // Counts up where the same options come to mean other answers, or answers are kept in another way.
    private const int Version = 2;

    /// <summary>The hash, 64 hexadecimal digits.</summary>
    /// <remarks>
    /// Of parameters in other files only names, sizes and times of change are taken: such files may have many gigabytes. A decoder of the
    /// user's own counts by its method.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    public static string Of(string path, TeacherFormat format, IReadOnlyList<string> classNames, OnnxTeacherOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (FileStream file = File.OpenRead(path))
        {
            byte[] buffer = new byte[1 << 20];
            for (int read = file.Read(buffer); read > 0; read = file.Read(buffer)) hash.AppendData(buffer, 0, read);
        }

        foreach (FileInfo external in ExternalFiles(path)) Add(hash, $"{external.Name} {external.Length} {external.LastWriteTimeUtc:O}");
        TeacherPreprocessing? seen = options.Preprocessing;
        Add(hash, $"{Version}|{options.InputWidth}|{options.InputHeight}");
        Add(hash, $"{format}|{string.Join('\n', classNames)}|{options.NoiseScore}|{options.ConfidentScore}|{options.Activation}|{options.CellOffset}|{options.FirstLabel}");
        Add(hash, $"{List(options.Strides)}|{options.Decoder?.Method.DeclaringType?.FullName}.{options.Decoder?.Method.Name}");
        if (seen is not null)
            Add(hash, $"{seen.Width}|{seen.Height}|{seen.Fit}|{seen.Fill}|{seen.Channels}|{seen.Scale}|{List(seen.Mean)}|{List(seen.StandardDeviation)}");
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<FileInfo> ExternalFiles(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        IEnumerable<string> names = OnnxModelFile.Parse(File.ReadAllBytes(path), path).Model.Graph.Initializer
            .SelectMany(tensor => tensor.ExternalData).Where(entry => entry.Key == "location").Select(entry => entry.Value).Distinct();
        return names.Select(name => new FileInfo(Path.Combine(folder, name))).Where(file => file.Exists);
    }

    private static void Add(IncrementalHash hash, FormattableString text)
        => hash.AppendData(Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture) + "\0"));

    private static string List<T>(IReadOnlyList<T>? values) => values is null ? "" : string.Join(',', values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")));
}
