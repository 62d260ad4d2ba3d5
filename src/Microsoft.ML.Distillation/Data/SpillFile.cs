using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// A temporary file for pixels that do not fit into memory. It has no life of its own: it disappears when it is disposed,
/// and also when the process ends in any other way.
/// </summary>
internal sealed class SpillFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private long _length;

    /// <summary>Creates the file.</summary>
    /// <param name="folder">Where; null is the system's folder for temporary files.</param>
    public SpillFile(string? folder)
    {
        string path = Path.Combine(folder ?? Path.GetTempPath(), $"ml-distillation-{Guid.NewGuid():N}.tmp");
        // Windows deletes the file with its last handle. Elsewhere a file without a name lives as long as its handle.
        FileOptions options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, options | FileOptions.RandomAccess);
        if (!OperatingSystem.IsWindows()) File.Delete(path);
    }

    /// <summary>Appends bytes and returns their offset. One thread at a time.</summary>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        long offset = _length;
        RandomAccess.Write(_handle, bytes, offset);
        _length += bytes.Length;
        return offset;
    }

    /// <summary>Reads what was appended at an offset. May be called from several threads at once.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0) throw new EndOfStreamException("The temporary file with the images' pixels is shorter than what was written to it.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
