using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>The folder of a training: <c>settings.yaml</c>, <c>metrics.csv</c> and <c>.jsonl</c>, <c>tensorboard</c>, <c>best</c> and
/// <c>last</c> model, <c>checkpoints</c>, <c>report.html</c>, <c>log.txt</c>.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly StreamWriter _log;
    private readonly FileLock _lock;
    private readonly List<EpochLog> _epochs = [];
    private readonly bool _isNew;
    private bool _isFinished;

    private RunFolder(string path, FileLock held, bool isNew)
    {
        (Path, _lock, _isNew) = (path, held, isNew);
        Directory.CreateDirectory(path);
        _log = new StreamWriter(new FileStream(At("log.txt"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        _log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"# {DateTimeOffset.Now:yyyy-MM-dd HH:mm:ss zzz}"));
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Every option.</summary>
    public string Settings => At("settings.yaml");

    /// <summary>Where checkpoints lie.</summary>
    public string Checkpoints => At("checkpoints");

    /// <summary>The report.</summary>
    public string Report => At("report.html");

    /// <summary>A run that is there already.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static RunFolder Existing(string path)
        => File.Exists(System.IO.Path.Combine(path, "settings.yaml")) ? Taken(path, isNew: false)
            : throw new UsageException($"--resume '{path}' is no run folder: it has no settings.yaml.");

    /// <summary>A run in a folder of this name, which must hold none yet.</summary>
    /// <exception cref="UsageException">It does, or cannot be made.</exception>
    public static RunFolder New(string path)
    {
        if (File.Exists(System.IO.Path.Combine(path, "settings.yaml")))
            throw new UsageException($"--run '{path}' holds a run already: --resume goes on with it, or name another folder.");
        try
        {
            return Taken(path, isNew: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--run '{path}' cannot be made: {error.Message}");
        }
    }

    /// <summary>The next run of a command: the first number that is free.</summary>
    public static RunFolder Next(string parent, string command)
    {
        for (int number = 1; ; number++)
        {
            string path = System.IO.Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{command}-{number}"));
            if (System.IO.Path.Exists(path) || FileLock.TryTake(path) is not { } held) continue;
            // Another process may have been faster before the lock was there.
            if (!System.IO.Path.Exists(path)) return new RunFolder(path, held, isNew: true);
            held.Dispose();
        }
    }

    /// <summary>A file of the folder.</summary>
    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Does the work of a run; why it ends early is in its log too.</summary>
    public static T Do<T>(RunFolder? folder, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error)
        {
            folder?._log.WriteLine(error);
            throw;
        }
    }

    /// <summary>A writer that also writes to the log.</summary>
    public TextWriter Logged(TextWriter writer) => new LoggedWriter(writer, _log);

    /// <summary>Takes down each epoch of a training, and tells the next of it.</summary>
    /// <param name="suffix">What tells the student from others of the run, as in the names of their models; empty for the first.</param>
    public IProgress<TrainingProgress> Watch(string suffix, IProgress<TrainingProgress> next)
    {
        string events = System.IO.Path.Combine("tensorboard", suffix is "" ? "student" : suffix[1..]);
        var log = new EpochLog(At($"metrics{suffix}"), At(events), next);
        _epochs.Add(log);
        return log;
    }

    /// <summary>Writes the best and the last model of a student beside the one that was saved.</summary>
    /// <param name="suffix">As in <see cref="Watch"/>.</param>
    /// <param name="saved">The model that training gave, the best.</param>
    /// <param name="checkpoint">The student's checkpoint; <see langword="null"/> where the best is the last.</param>
    private void Keep(string suffix, string saved, string? checkpoint)
    {
        string ending = System.IO.Path.GetExtension(saved), best = At($"best{suffix}{ending}"), last = At($"last{suffix}{ending}");
        if (!RealPath.Same(best, saved)) File.Copy(saved, best, overwrite: true);
        if (checkpoint is not null && File.Exists(checkpoint)) PipelineFile.Save(TrainedDetector.FromLastEpoch(checkpoint), last);
        else File.Copy(saved, last, overwrite: true);
    }

    /// <summary>Completes the folder with what training gave: the models, and what was decided that had been left open.</summary>
    /// <param name="isValidated">Whether the best epoch was chosen, and not the last taken.</param>
    /// <param name="students">Of each student what its files' names end in, the saved model, and its folder of checkpoints.</param>
    public void Finish(
        ParseResult parsed, bool isValidated, IReadOnlyList<(string Suffix, string Saved, string? Checkpoints)> students)
    {
        foreach ((string suffix, string saved, string? checkpoints) in students)
            Keep(suffix, saved, isValidated && checkpoints is not null ? System.IO.Path.Combine(checkpoints, "training.checkpoint") : null);
        if (_isFinished) return;
        _isFinished = true;
        var first = TrainedDetector.FromModel(students[0].Saved);
        SettingsFile.Write(Settings, parsed, ("resolved", first.TrainingSettings), ("versions", first.TrainingVersions));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (EpochLog epochs in _epochs) epochs.Dispose();
        _log.Dispose();
        // What ended before any training began leaves nothing.
        if (_isNew && !_epochs.Any(epochs => epochs.HasBegun))
        {
            foreach (string file in (string[])[Settings, At("log.txt")]) File.Delete(file);
            if (!Directory.EnumerateFileSystemEntries(Path).Any()) Directory.Delete(Path);
        }

        _lock.Dispose();
    }

    private static RunFolder Taken(string path, bool isNew) => new(
        path,
        FileLock.TryTake(path)
            ?? throw new UsageException($"another run writes '{path}' now: wait for its end, or name another folder."),
        isNew);
}

/// <summary>Writes to two places, of which the second is a log.</summary>
internal sealed class LoggedWriter(TextWriter inner, TextWriter log) : TextWriter
{
    /// <summary>The first place.</summary>
    public TextWriter Inner => inner;

    /// <inheritdoc/>
    public override System.Text.Encoding Encoding => inner.Encoding;

    /// <summary>What a writer writes to in the end.</summary>
    public static TextWriter Unwrapped(TextWriter writer) => writer is LoggedWriter logged ? Unwrapped(logged.Inner) : writer;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        inner.Write(value);
        lock (log) log.Write(value);
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        inner.Write(value);
        lock (log) log.Write(value);
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        inner.WriteLine(value);
        lock (log) log.WriteLine(value);
    }
}
