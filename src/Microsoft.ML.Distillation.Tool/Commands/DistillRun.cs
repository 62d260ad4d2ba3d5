using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>One call of <see cref="DistillCommand"/>: for each seed the student and its controls, then the comparison.</summary>
internal sealed class DistillRun(DistillCommand command, ParseResult parsed)
{
    private TextWriter _output = parsed.InvocationConfiguration.Output;
    private readonly DetectorPlan _student = command.Student.Read(parsed);
    private readonly IReadOnlyList<HintPair> _hints = command.Hints.Read(parsed);
    private readonly string? _featureLoss = command.Distillation.FeatureLossIn(parsed);
    private readonly IReadOnlyList<int> _seeds = command.SeedsIn(parsed);
    private readonly bool _noLabels = command.NoLabelsIn(parsed);
    private readonly bool _control = command.ControlIn(parsed);
    private readonly bool _writes = RankOptionSet.Writes(parsed);
    private RunFolder? _folder;
    private ModelReport? _teacherReport;
    private StudentRun[]? _firstStudents;

    /// <summary>Does it all.</summary>
    /// <returns>The exit code.</returns>
    public int Run()
    {
        command.Precision.Check(parsed);
        command.Training.Check(parsed);
        if (_noLabels && _control) throw new UsageException("--control needs labels: without them the student cannot learn alone.");
        command.CheckOutputs(parsed, _seeds.SelectMany(PathsOf));
        using RunFolder? folder = command.RunFolders.Open(parsed);
        (_folder, _output) = (folder, parsed.InvocationConfiguration.Output);
        // What is written into the run's folder, that is this run's, needs no lock of its own.
        bool isElsewhere = folder is null || command.NamesOutput(parsed);
        using var alone = new OutputLock("--output", _writes && isElsewhere ? _seeds.SelectMany(PathsOf) : []);
        return RunFolder.Do(folder, TrainAndCompare);
    }

    private int TrainAndCompare()
    {
        TextWriter error = parsed.InvocationConfiguration.Error;
        MLContext context = TrainingSession.CreateContext(parsed, _seeds[0]);
        Teacher teacher = command.Teacher.Open(parsed, [.. _hints.Select(pair => pair.Teacher)]);
        IReadOnlyList<AnnotatedRow> test = _noLabels ? [] : command.Data
            .OpenTest(parsed, context, command.Training.SkipsInvalid(parsed), error);
        if (command.Teacher.IsPublished(parsed) && _hints.Count == 0 && _featureLoss is { } loss)
        {
            throw new UsageException(
                $"--feature-loss {loss} needs feature maps of the ONNX teacher: name them with --hint STUDENT=TENSOR ('ml-distill "
                    + $"inspect-teacher --tensors' lists "
                + "them), without --teacher-cache, which keeps none.");
        }

        var display = TrainingDisplay.On(SharedOptions.NotesTo(parsed, _output));
        TrainingSession session = _noLabels ? command.Data.OpenImages(parsed, context, display)
            : command.Data.Open(parsed, context, display, command.Training.SkipsInvalid(parsed), test.Count > 0);
        // In scheme A another network of its architecture teaches.
        bool teacherIsMeasured = test.Count > 0 && !command.Teacher.IsPlain(parsed)
            && command.Precision.Scheme(parsed) != ApprenticeScheme.A;
        if (test.Count > 0 && command.Teacher.IsPlain(parsed))
            error.WriteLine($"warning: '{command.Teacher.PathOf(parsed)}' is the plain form, which takes no test images as they are: the "
                + $"teacher teaches, but is not measured beside the student.");
        if (command.Teacher.IsPublished(parsed) && !_noLabels)
            TeacherInspection.WriteClasses(_output, teacher, session.ClassNames());
        command.Training.CheckPatience(parsed, session.Validation is not null);
        using var interruption = new Interruption(error, "the best model so far will be saved, if an epoch has ended");

        // With further images an epoch is longer: the controls, which see the labelled ones alone, make as many steps.
        int? asked = command.Training.EpochsOf(parsed);
        (int All, int Alone)? epochs = command.Unlabelled.Epochs(parsed, session, asked)
            ?? command.Generated.Epochs(parsed, session, asked);
        foreach (StudentRun student in StudentsOf(_seeds[0], teacher))
            _ = OptionsOf(student, new Progress<TrainingProgress>(), CancellationToken.None);
        _folder?.Begin(parsed);
        if (_folder is not null) display.Say($"run: {_folder.Path}");
        var results = new List<IReadOnlyList<ModelReport>>();
        foreach (int seed in _seeds)
        {
            StudentRun[] students = [.. StudentsOf(seed, teacher)];
            foreach (StudentRun[] group in epochs is null ? [students] : students.Chunk(1))
            {
                using StopRule stop = command.Training.StopIn(parsed);
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token, stop.Token);
                TrainAndSave(group, stop, ending.Token);
                foreach (StudentRun saved in group) _output.WriteLine($"saved {saved.Path}");
                if (_writes) _folder?.Finish(parsed, session.Validation is not null, [.. group.Select(student => (
                    student.Suffix, student.Path, command.Training.CheckpointsOf(parsed, student.Folder, _folder)))]);
                if (interruption.Requested)
                {
                    command.Report.SayNone(parsed);
                    return Application.Interrupted;
                }
            }

            _firstStudents ??= students;
            // Of several processes the first measures what it has saved.
            if (test.Count == 0 || !_writes) continue;
            results.Add([.. students.Select(student => ModelReport.Measure(
                parsed, student.Name, student.Path, test, cancellation: interruption.Token))]);
            ComparisonTable.Write(_output, [.. TeacherReport(), .. results[^1]]);
        }

        ControlWarning.Write(error, results);
        if (results.Count > 1) SeedsTable.Write(_output, _seeds[0], results);
        if (_writes) WriteReport(results, test);
        return Application.Success;

        void TrainAndSave(StudentRun[] group, StopRule stop, CancellationToken ending)
        {
            try
            {
                session.TrainAndSave([.. group
                    .Select(student => new TrainingRun(student.Title, student.Path,
                        shown => OptionsOf(student, stop.Watch(_folder?.Watch(student.Suffix, shown) ?? shown), ending)))], _writes, stop);
            }
            catch (InterruptedException)
            {
                command.Report.SayNone(parsed);
                throw;
            }
        }

        DetectorEstimatorOptions OptionsOf(StudentRun student, IProgress<TrainingProgress> progress, CancellationToken ending)
        {
            DetectorEstimatorOptions options = command.Training
                .Apply(command.Precision.Apply(student.Options, parsed), parsed, student.Folder, ending, _folder);
            options = options is DistillDetectorOptions distilled
                ? command.Generated.Apply(command.Unlabelled
                    .Apply(InEpochs(epochs?.All, command.Distillation.Apply(distilled, parsed)), parsed, session), parsed, session)
                : InEpochs(epochs?.Alone, options);
            return options with { Seed = student.Seed, ValidationSet = session.Validation, Progress = progress };
        }

        IEnumerable<ModelReport> TeacherReport()
        {
            if (teacherIsMeasured) yield return _teacherReport ??= ModelReport
                .Measure(parsed, "teacher", command.Teacher.PathOf(parsed), test, command.Teacher.DetectorOptionsOf(parsed),
                    interruption.Token);
        }
    }

    private IEnumerable<StudentRun> StudentsOf(int seed, Teacher teacher)
    {
        yield return Student("student distilled", "distilled", "", new DistillDetectorOptions
        {
            Teacher = teacher,
            Student = _student,
            Hints = _hints.Count > 0 ? _hints : null,
            Scheme = command.Precision.Scheme(parsed),
            WithoutLabels = _noLabels,
        });
        if (!_control) yield break;
        yield return Alone("student alone", "alone", 0);
        yield return Alone("student alone + L2", "l2", command.Distillation.BoundedWeightIn(parsed));

        StudentRun Alone(string name, string run, double squaredWeight)
            => Student(name, run, $"-{run}", new TrainDetectorOptions { Detector = _student, SquaredRegressionWeight = squaredWeight });

        StudentRun Student(string name, string run, string suffix, DetectorEstimatorOptions options)
        {
            bool several = _seeds.Count > 1;
            return new StudentRun(
                name, several ? $"{run} {seed}" : run, seed, several || _control ? run + OfSeed(seed)
                    : null, options, PathOf(seed, suffix), OfSeed(seed) + suffix);
        }
    }

    /// <summary>The models that a seed's students are written to.</summary>
    private IEnumerable<string> PathsOf(int seed)
        => (_control ? (string[])["", "-alone", "-l2"] : [""]).Select(suffix => PathOf(seed, suffix));

    private string PathOf(int seed, string suffix)
    {
        string path = command.OutputOf(parsed, _folder);
        return Path.Combine(Path.GetDirectoryName(path)
            ?? "", $"{Path.GetFileNameWithoutExtension(path)}{OfSeed(seed)}{suffix}{Path.GetExtension(path)}");
    }

    private string OfSeed(int seed) => _seeds.Count > 1 ? $"-seed{seed}" : "";

    private void WriteReport(IReadOnlyList<IReadOnlyList<ModelReport>> results, IReadOnlyList<AnnotatedRow> test)
    {
        if (!command.Report.IsWanted(parsed) && _folder is null) return;
        var models = new List<ReportedDetector>();
        if (_teacherReport is not null) models.Add(_teacherReport.For(DetectorRole.Teacher));
        for (int i = 0; i < _firstStudents!.Length; i++)
        {
            (string name, string path) = (_firstStudents[i].Name, _firstStudents[i].Path);
            models.Add(results.Count == 0 ? ModelReport.Unmeasured(name, path, RoleOf(name)) : OverSeeds(i, RoleOf(name)));
        }

        command.Report.Write(parsed, $"Distillation of {Path.GetFileNameWithoutExtension(command.OutputOf(parsed, _folder))}",
            () => [.. models.OrderBy(model => model.Role)], test, _folder);

        // One run is shown in pictures and curves of training; the figures are those of all.
        ReportedDetector OverSeeds(int student, DetectorRole role)
        {
            ModelReport[] runs = [.. results.Select(row => row[student])];
            if (runs.Length == 1) return runs[0].For(role);
            DetectorMeasurement means = runs[0].Measured with
            {
                Metrics = SeedMeans.Of([.. runs.Select(run => run.Metrics)]),
                Bytes = (long)runs.Average(run => run.Bytes),
                Milliseconds = runs.Average(run => run.Milliseconds),
            };
            return new ReportedDetector(runs[0].Name, role, means)
            {
                Seeds = [.. runs.Zip(_seeds, (run, seed) => new SeedFigures(seed, run.Metrics.AveragePrecision,
                    run.Metrics.AveragePrecision50, run.Metrics.AveragePrecision75))],
            };
        }
    }

    private static DetectorEstimatorOptions InEpochs(int? epochs, DetectorEstimatorOptions options)
        => options with { Epochs = epochs ?? options.Epochs };

    private static DistillDetectorOptions InEpochs(int? epochs, DistillDetectorOptions options)
        => options with { Epochs = epochs ?? options.Epochs };

    private static DetectorRole RoleOf(string name) => name switch
    {
        "student distilled" => DetectorRole.Distilled,
        "student alone" => DetectorRole.Alone,
        _ => DetectorRole.Control,
    };

    /// <summary>A student to train.</summary>
    /// <param name="Name">What to call it in tables.</param>
    /// <param name="Title">What to call it while it trains.</param>
    /// <param name="Folder">Its folder of checkpoints, where several train.</param>
    /// <param name="Path">The model to write.</param>
    /// <param name="Suffix">What its files' names end in, before their ending.</param>
    private sealed record StudentRun(
        string Name, string Title, int Seed, string? Folder, DetectorEstimatorOptions Options, string Path, string Suffix);
}
