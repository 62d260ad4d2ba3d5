using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Model;

/// <summary>Finds the exported detector inside fitted models and model files.</summary>
internal static class FittedDetectors
{
    // Above it lie other people's models alone.
    private const long LargestFile = 1L << 30;

    /// <summary>
    /// The detector in a fitted model. ML.NET forgets this library's types when it loads a model, so whatever the model is, it is
    /// saved into memory and the exported network taken from there.
    /// </summary>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    public static OnnxModelFile In(ITransformer model)
    {
        if (model is DetectorTransformer detector) return detector.Model;
        using var zip = new MemoryStream();
        new MLContext().Model.Save(model, inputSchema: null, zip);
        zip.Position = 0;
        return Single(OnnxModelFile.LoadAll(zip, "the model"), "The model", message => new ArgumentException(message, nameof(model)));
    }

    /// <summary>The detector in a file: an ML.NET model .zip, or an .onnx that <c>SaveOnnx</c> wrote.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of another kind, or holds no detector of this library, or several.</exception>
    public static OnnxModelFile In(string path)
        => Single(OnnxModelFile.LoadAll(path), $"'{path}'", message => new FormatException(message));

    /// <summary>Whether a file holds detectors of this library; not where it cannot be read, which whoever opens it says.</summary>
    public static bool AreIn(string path)
    {
        try
        {
            return new FileInfo(path).Length < LargestFile && OnnxModelFile.LoadAll(path).Any(DetectorGraph.IsDetector);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The one detector among the ONNX models of a file.</summary>
    /// <param name="what">The file, as the subject of a message.</param>
    /// <param name="error">Makes the exception of a message.</param>
    public static OnnxModelFile Single(IReadOnlyList<OnnxModelFile> models, string what, Func<string, Exception> error)
    {
        OnnxModelFile[] detectors = [.. models.Where(DetectorGraph.IsDetector)];
        return detectors.Length switch
        {
            1 => detectors[0].Rename(PrivateColumns.Original),
            0 => throw error($"{what} holds no detector that this library made."),
            int n => throw error($"{what} holds {n} detectors; save or export each on its own."),
        };
    }
}
