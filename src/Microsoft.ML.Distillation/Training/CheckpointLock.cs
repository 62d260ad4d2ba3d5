using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Keeps other runs out of the folders of checkpoints of this one, from its start on.</summary>
internal sealed class CheckpointLock : IDisposable
{
    private readonly List<FileLock> _locks = [];

    /// <summary>Locks folders, which are made where they do not exist, and removes what killed runs left in them half written.</summary>
    /// <exception cref="InvalidOperationException">Another run uses a folder.</exception>
    /// <exception cref="IOException">There is no writing in a folder.</exception>
    public CheckpointLock(IEnumerable<string?> folders)
    {
        try
        {
            foreach (string folder in folders.OfType<string>()) Take(Path.Combine(folder, Checkpoint.FileName));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The last one first: folders that were made for one go once nothing is in them any more.
        for (int i = _locks.Count - 1; i >= 0; i--) _locks[i].Dispose();
        _locks.Clear();
    }

    private void Take(string path)
    {
        try
        {
            _locks.Add(FileLock.TryTake(path) ?? throw new InvalidOperationException(
                $"Another run keeps its checkpoints in '{Path.GetDirectoryName(path)}' now: wait for its end, or give another "
                + $"{nameof(TrainingOptions.CheckpointDirectory)}."));
            AtomicFile.RemoveLeft(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"No checkpoint can be written in '{Path.GetDirectoryName(path)}': {e.Message}", e);
        }
    }
}
