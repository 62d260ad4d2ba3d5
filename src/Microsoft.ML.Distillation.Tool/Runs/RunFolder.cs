using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>The folder of a training: <c>settings.yaml</c>, <c>metrics.csv</c> and <c>.jsonl</c>, <c>tensorboard</c>, <c>best</c> and
/// <c>last</c> model, <c>checkpoints</c>, <c>report.html</c>, <c>log.txt</c>. It is this run's from the start, and made
/// once options and data are accepted.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly RunLog _log = new();
    private readonly FileLock _lock;
    private readonly List<EpochLog> _epochs = [];
    private readonly bool _isNew;
    private bool _isBegun;
    private bool _isFinished;

    private RunFolder(string path, FileLock held, bool isNew) => (Path, _lock, _isNew) = (path, held, isNew);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Every option.</summary>
    public string Settings => At("settings.yaml");

    /// <summary>Where checkpoints lie.</summary>
    public string Checkpoints => At("checkpoints");

    /// <summary>The report.</summary>
    public string Report => At("report.html");

    /// <summary>A run that is there already.</summary>
    /// <exception cref="UsageException">There is none, another process has it, or nothing can be written there.</exception>
    public static RunFolder Existing(string path)
        => HoldsRun(path) ? Taken("--resume", path, isNew: false)
            : throw new UsageException($"--resume '{path}' is no run folder: it has no settings.yaml.");

    /// <summary>A run in a folder of this name, which must hold none yet.</summary>
    /// <exception cref="UsageException">It does, another process has it, or it cannot be made.</exception>
    public static RunFolder New(string path)
    {
        // Of one that is in use that is said, and not that it holds a run.
        RunFolder folder = Taken("--run", path, isNew: true);
        if (!HoldsRun(path)) return folder;
        folder.Dispose();
        throw new UsageException($"--run '{path}' holds a run already: --resume goes on with it, or name another folder.");
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

    /// <summary>Makes the folder, with the settings of a new run.</summary>
    public void Begin(ParseResult parsed)
    {
        _isBegun = true;
        Directory.CreateDirectory(Path);
        AtomicFile.RemoveLeftIn(Path);
        _log.Open(At("log.txt"));
        // Those of one that goes on hold until it has: what was given anew may be refused.
        if (_isNew) SettingsFile.Write(Settings, parsed);
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
    public TextWriter Logged(TextWriter writer) => _log.Beside(writer);

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
        if (_isNew && _isBegun && !_epochs.Any(epochs => epochs.HasBegun))
        {
            foreach (string file in (string[])[Settings, At("log.txt")]) File.Delete(file);
            if (!Directory.EnumerateFileSystemEntries(Path).Any()) Directory.Delete(Path);
        }

        _lock.Dispose();
    }

    /// <summary>The lock lies beside the folder; where nothing can be written there, as beside a volume that is mounted, in it.</summary>
    private static FileLock? Lock(string path)
    {
        try
        {
            return FileLock.TryTake(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && Directory.Exists(path))
        {
            return FileLock.TryTake(System.IO.Path.Combine(path, "run"));
        }
    }

    private static bool HoldsRun(string path) => File.Exists(System.IO.Path.Combine(path, "settings.yaml"));

    /// <param name="option">The option that names it.</param>
    private static RunFolder Taken(string option, string path, bool isNew)
    {
        try
        {
            FileLock held = Lock(path) ?? throw new UsageException(
                $"{option} '{path}' is in use, another run writes it now: wait for its end, or name another folder.");
            try
            {
                AtomicFile.Check(System.IO.Path.Combine(path, "settings.yaml"));
            }
            catch
            {
                held.Dispose();
                throw;
            }

            return new RunFolder(path, held, isNew);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{option} '{path}' cannot be written: {error.Message.TrimEnd('.')}. Name another folder.");
        }
    }
}
