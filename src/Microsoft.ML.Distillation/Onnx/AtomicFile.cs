namespace Microsoft.ML.Distillation.Onnx;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the file and renames, so that a reader never sees half a file and a failure leaves the old one.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        string beside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        try
        {
            using (FileStream file = new(beside, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }
}
