namespace Microsoft.ML.Distillation.Files;

/// <summary>A file in the temporary folder that goes when its owner goes.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(ReadOnlySpan<byte> content, string extension)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"ml-distillation-{Guid.NewGuid():N}{extension}");
        using var file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write);
        file.Write(content);
    }

    ~TemporaryFile() => Delete();

    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Delete();
        GC.SuppressFinalize(this);
    }

    private void Delete()
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Still open elsewhere: the system clears its temporary folder.
        }
    }
}
