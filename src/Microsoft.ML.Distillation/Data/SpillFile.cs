using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// A temporary file for what does not fit into memory. It has no life of its own: it disappears when it is disposed, and also when the
/// process ends in any other way. It takes no more than half of what is free in its folder when it is made: on several systems that
/// folder is memory, and others want to write there too.
/// </summary>
internal sealed class SpillFile : IDisposable
{
    private readonly FileStream _file;
    private readonly SafeFileHandle _handle;
    private readonly string _folder;
    private readonly long _limit;

    /// <summary>Creates the file.</summary>
    /// <param name="folder">Where; null is the system's folder for temporary files.</param>
    /// <param name="limit">How long it may get; null: half of what is free.</param>
    public SpillFile(string? folder, long? limit = null)
    {
        _folder = folder ?? Path.GetTempPath();
        _limit = limit ?? FreeIn(_folder) / 2;
        string path = Path.Combine(_folder, $"ml-distillation-{Guid.NewGuid():N}.tmp");
        // Windows deletes the file with its last handle. Elsewhere a file without a name lives as long as its handle.
        FileOptions options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        FileStreamOptions settings = TemporaryFile.Private(FileShare.None, options | FileOptions.RandomAccess);
        settings.BufferSize = 0;
        _file = new FileStream(path, settings);
        _handle = _file.SafeFileHandle;
        if (!OperatingSystem.IsWindows()) File.Delete(path);
    }

    /// <summary>The length in bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Appends bytes and returns their offset. One thread at a time.</summary>
    /// <exception cref="IOException">There is no room for them.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        if (Length + bytes.Length > _limit)
        {
            string room = (_limit / 1e9).ToString("0.0", CultureInfo.InvariantCulture);
            throw new IOException(
                $"What does not fit into memory takes more than the {room} GB, half of what was free, that are used of the folder for "
                + $"temporary files, '{_folder}'.");
        }

        long offset = Length;
        RandomAccess.Write(_handle, bytes, offset);
        Length += bytes.Length;
        return offset;
    }

    /// <summary>Reads what was appended at an offset. May be called from several threads at once.</summary>
    public void Read(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0)
                throw new EndOfStreamException("The temporary file with the images' pixels is shorter than what was written to it.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static long FreeIn(string folder)
    {
        try
        {
            string full = Path.GetFullPath(folder);
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(full)! : full).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A folder on another machine does not say.
            return long.MaxValue;
        }
    }
}
