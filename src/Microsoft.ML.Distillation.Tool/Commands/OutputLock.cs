using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>Keeps other runs from writing the same files, from the start of this one to its end.</summary>
internal sealed class OutputLock : IDisposable
{
    private readonly List<FileLock> _locks = [];

    /// <summary>Locks files to be written, and removes what killed runs left half written beside them.</summary>
    /// <param name="option">The option that names them.</param>
    /// <exception cref="IOException">Another run is to write one of them, or none can.</exception>
    public OutputLock(string option, params IEnumerable<string> paths)
    {
        try
        {
            foreach (string path in paths)
            {
                _locks.Add(Take(option, path));
                AtomicFile.RemoveLeft(path);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static FileLock Take(string option, string path)
    {
        FileLock? taken;
        try
        {
            taken = FileLock.TryTake(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' cannot be written: {error.Message.TrimEnd('.')}. Name another {option}.", error);
        }

        return taken ?? throw new IOException($"another run writes '{path}' now: wait for its end, or name another {option}.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The last one first: folders that were made for one go once nothing is in them any more.
        for (int i = _locks.Count - 1; i >= 0; i--) _locks[i].Dispose();
        _locks.Clear();
    }
}
