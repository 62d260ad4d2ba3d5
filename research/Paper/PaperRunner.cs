using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Research;

/// <summary>What a run of the tables works with.</summary>
/// <param name="Folder">Where models, checkpoints and tables go.</param>
/// <param name="FirstSeed">The seed of teachers and of the networks that others start from.</param>
/// <param name="Given">Trained models that teach and are started from in the places of rows, by the rows' names. The rows themselves are
/// trained all the same.</param>
/// <param name="Test">The images to measure on.</param>
/// <param name="Train">The images learned from.</param>
/// <param name="Configure">Puts into options how a network is trained: from scratch, or further.</param>
internal sealed record PaperSetting(
    string Folder, int FirstSeed, IReadOnlyDictionary<string, string> Given, IReadOnlyList<AnnotatedRow> Test,
    IReadOnlyList<AnnotatedRow> Train,
    Func<DetectorEstimatorOptions, bool, DetectorEstimatorOptions> Configure, CancellationToken Cancellation);

/// <summary>
/// Makes a table: trains what it needs, side by side where rows have a teacher in common, measures it, and writes the table after each
/// row. What is finished is not done again: a row by the results, a training by its model, an epoch by its checkpoint.
/// </summary>
internal sealed class PaperRunner(PaperTables tables, PaperSetting setting, PaperResults results, TrainingSession session,
    TextWriter output)
{
    private readonly Dictionary<string, (TrainedDetector Detector, CompressionReport Report)> _compressed = [];
    private readonly Dictionary<string, Teacher> _teachers = [];

    /// <summary>Makes a table for a number of seeds.</summary>
    /// <param name="rows">The names of the rows to make; all where there are none.</param>
    public void Run(PaperTable table, int seeds, IReadOnlyCollection<string> rows)
    {
        PaperRow[] wanted = [.. table.Cells.Select(cell => cell.Row).Where(row => rows.Count == 0 || rows.Contains(row.Id))];
        PaperReport.Write(setting.Folder, table, results);
        for (int seed = setting.FirstSeed; seed < setting.FirstSeed + seeds; seed++)
        {
            List<Job> missing = [.. wanted.Where(row => results.Find(row.Id, seed) is null).SelectMany(row => Needed(new Job(row, seed)))
                .Distinct().Where(job => !Exists(job))];
            while (missing.Count > 0)
            {
                Job[] group = NextGroup(missing);
                Train(group);
                if (setting.Cancellation.IsCancellationRequested) return;
                missing.RemoveAll(group.Contains);
                foreach (Job job in group.Where(job => wanted.Contains(job.Row))) Measure(table, job);
            }

            foreach (PaperRow row in wanted) Measure(table, new Job(row, seed));
        }

        foreach (string row in wanted.SelectMany(row => row.Needs).Distinct().Where(setting.Given.ContainsKey)) MeasureGiven(table, row);
    }

    /// <summary>The file of a row's model.</summary>
    private string ModelOf(Job job) => Path.Combine(setting.Folder, "models", $"{job.Row.Id}-seed{job.Seed}.zip");

    private bool Exists(Job job) => File.Exists(ModelOf(job));

    private Job First(string row) => new(tables.Rows[row], setting.FirstSeed);

    /// <summary>The model that teaches, or is started from, in a row's name: a given one, which is no row of the table, or the row's of the
    /// first seed.</summary>
    private string SourceOf(string row) => setting.Given.TryGetValue(row, out string? given) ? given : ModelOf(First(row));

    /// <summary>A job and all that must be trained before it.</summary>
    private IEnumerable<Job> Needed(Job job) => Exists(job)
        ? []
        : job.Row.Needs.Where(row => !setting.Given.ContainsKey(row)).SelectMany(row => Needed(First(row))).Append(job);

    /// <summary>Of the jobs whose teachers and starts are there, those that can be trained side by side with the first.</summary>
    private Job[] NextGroup(List<Job> missing)
    {
        Job[] ready = [.. missing.Where(job => job.Row.Needs.All(row => File.Exists(SourceOf(row))))];
        Job[] alike = [.. ready.Where(job => job.Seed == ready[0].Seed && (job.Row.Start is null) == (ready[0].Row.Start is null))];
        // What waits for a row of the group waits no longer than for its own teacher's pass.
        if (alike.Any(job => job.Row.Teacher is null && missing
            .Any(other => job == First(job.Row.Id) && other.Row.Needs.Contains(job.Row.Id) && !setting.Given.ContainsKey(job.Row.Id))))
            return [.. alike.Where(job => job.Row.Teacher is null)];
        string? teacher = alike.Select(job => job.Row.Teacher).FirstOrDefault(name => name is not null);
        return [.. alike.Where(job => job.Row.Teacher is null || job.Row.Teacher == teacher)];
    }

    private void Train(Job[] group)
    {
        output.WriteLine($"training {string.Join(", ", group.Select(job => $"{job.Row.Id} (seed {job.Seed})"))}");
        session.TrainAndSave([.. group
            .Select(job => new TrainingRun($"{job.Row.Id} {job.Seed}", Unfinished(job), progress => OptionsOf(job, progress)))]);
        foreach (Job job in group)
        {
            if (setting.Cancellation.IsCancellationRequested)
            {
                File.Delete(Unfinished(job));
                continue;
            }

            File.Move(Unfinished(job), ModelOf(job), overwrite: true);
            Directory.Delete(CheckpointsOf(job), recursive: true);
        }
    }

    /// <summary>Where training writes its model: of an interrupted one it is the best so far, which is no row's.</summary>
    private string Unfinished(Job job) => ModelOf(job) + ".unfinished";

    private string CheckpointsOf(Job job) => Path.Combine(setting.Folder, "checkpoints", $"{job.Row.Id}-seed{job.Seed}");

    private DetectorEstimatorOptions OptionsOf(Job job, IProgress<TrainingProgress> progress)
    {
        PaperRow row = job.Row;
        TrainedDetector? start = row.Start is null ? null : Compressed(row).Detector;
        DetectorPlan network = row.Network ?? tables.Rows[row.Start!].Network!;
        DetectorEstimatorOptions options = row.Teacher is null
            ? new TrainDetectorOptions { Detector = network }
            : new DistillDetectorOptions { Student = network, Teacher = TeacherOf(row.Teacher), Losses = row.Lesson };
        return setting.Configure(options, start is not null) with
        {
            InitialStudent = start,
            Seed = job.Seed,
            ValidationSet = session.Validation,
            Progress = progress,
            CheckpointDirectory = CheckpointsOf(job),
            CancellationToken = setting.Cancellation,
        };
    }

    private Teacher TeacherOf(string row)
    {
        if (!_teachers.TryGetValue(row, out Teacher? teacher)) _teachers[row] = teacher = Teacher.FromModel(SourceOf(row));
        return teacher;
    }

    /// <summary>The parts that a row starts from; the same for all lessons and seeds.</summary>
    private (TrainedDetector Detector, CompressionReport Report) Compressed(PaperRow row)
    {
        string key = $"{row.Start} {row.Compression!.FlopsShare}";
        if (_compressed.TryGetValue(key, out var made)) return made;
        CompressionReport? report = null;
        TrainedDetector parts = TrainedDetector.FromModel(SourceOf(row.Start!))
            .Compressed(row.Compression with { Report = r => report = r });
        return _compressed[key] = (parts, report!);
    }

    private void Measure(PaperTable table, Job job)
    {
        bool training = table.MeasuresTraining;
        PaperResult? old = results.Find(job.Row.Id, job.Seed);
        if (old is not null && (!training || old.Training is not null)) return;
        string path = ModelOf(job);
        ModelReport report = ModelReport.Measure(job.Row.Id, path, setting.Test, cancellation: setting.Cancellation);
        results.Put(new PaperResult(
            job.Row.Id, job.Seed, report.Parameters ?? 0, report.Milliseconds, PaperFigures.Of(report.Metrics),
            training ? PaperFigures.Of(ModelReport.Measure(job.Row.Id, path, setting.Train,
                cancellation: setting.Cancellation).Metrics) : old?.Training,
            job.Row.Start is null ? null : Compressed(job.Row).Report.Layers.Average(layer => layer.Error)));
        PaperReport.Write(setting.Folder, table, results);
        output.WriteLine($"finished {job.Row.Id} (seed {job.Seed}): {Describe(results.Find(job.Row.Id, job.Seed)!.Test)}");
    }

    /// <summary>A given model is measured too: its students' figures cannot be read without its own.</summary>
    private void MeasureGiven(PaperTable table, string row)
    {
        if (results.FindGiven(row) is null)
        {
            ModelReport report = ModelReport.Measure(row, SourceOf(row), setting.Test, cancellation: setting.Cancellation);
            PaperFigures figures = PaperFigures.Of(report.Metrics);
            results.Put(new PaperResult(
                row, setting.FirstSeed, report.Parameters ?? 0, report.Milliseconds, figures, null, null, Given: true));
            output.WriteLine($"measured the given {row}: {Describe(figures)}");
        }

        PaperReport.Write(setting.Folder, table, results);
    }

    private static string Describe(PaperFigures figures)
        => FormattableString.Invariant($"AP50 {100 * figures.Voc07:0.0}, AP {100 * figures.Ap:0.0}");

    /// <summary>A row for a seed.</summary>
    private sealed record Job(PaperRow Row, int Seed)
    {
        public bool Equals(Job? other) => other is not null && Row.Id == other.Row.Id && Seed == other.Seed;

        public override int GetHashCode() => HashCode.Combine(Row.Id, Seed);
    }
}
