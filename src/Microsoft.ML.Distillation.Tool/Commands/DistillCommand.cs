using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill distill</c>: trains a student under a teacher, and its controls without one.</summary>
internal sealed class DistillCommand : System.CommandLine.Command
{
    private readonly Option<bool> _noLabels = new("--no-labels")
    {
        Description = "--data is a folder of images without labels: the student learns from the teacher alone, and its classes are the teacher's.",
    };

    public DistillCommand()
        : base("distill", "Trains a compact student detector under a teacher.")
    {
        var data = new DataOptionSet();
        var student = new DetectorOptionSet("shufflenet-0.5", 320);
        var training = new TrainingOptionSet();
        var distillation = new DistillationOptionSet();
        var unlabelled = new UnlabelledOptionSet();
        var generated = new GeneratedOptionSet();
        var teacher = new TeacherOptionSet();
        var hints = new HintOptionSet();
        Option<string> output = SharedOptions.RequiredPath("--output", "The student to write, an ML.NET model (.zip).", "FILE");
        var control = new Option<bool>("--control")
        {
            Description = "Also train the same student without a teacher, from the same weights on the same batches: plainly (NAME-alone.zip), "
                + "and with a plain squared loss to the ground truth's boxes in the bounded loss's place (NAME-l2.zip).",
        };
        Option<int?> seeds = SharedOptions.Count("--seeds",
            "Train with so many seeds, from --seed on (NAME-seed1.zip, NAME-seed2.zip, …), and show what the teacher brings in the mean. [default: 1]");
        data.AddTo(Options);
        foreach (Option option in (Option[])[output, control, seeds, _noLabels]) Options.Add(option);
        teacher.AddTo(Options);
        hints.AddTo(Options);
        generated.AddTo(Options);
        unlabelled.AddTo(Options);
        student.AddTo(Options);
        distillation.AddTo(Options);
        training.AddTo(Options);
        SetAction(parsed => Run(parsed, data, student.Read(parsed), training, hints.Apply(distillation.Read(parsed), parsed), unlabelled, generated,
            teacher, parsed.GetRequiredValue(output), parsed.GetValue(control), parsed.GetValue(seeds) ?? 1));
    }

    private int Run(
        ParseResult parsed, DataOptionSet data, StudentDetector student, TrainingOptionSet training, DistillationOptions distillation,
        UnlabelledOptionSet unlabelled, GeneratedOptionSet generated, TeacherOptionSet teacherOptions, string path, bool control, int seeds)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        int firstSeed = training.SeedOf(parsed);
        MLContext context = TrainingSession.CreateContext(firstSeed, parsed.GetValue(SharedOptions.Verbose), error);
        bool noLabels = parsed.GetValue(_noLabels);
        if (noLabels && control) throw new UsageException("--control needs labels: without them the student cannot learn alone.");
        IReadOnlyList<AnnotatedImage> test = noLabels ? [] : data.OpenTest(parsed, context);
        Teacher teacher = teacherOptions.Open(parsed, [.. (distillation.Hints ?? []).Select(pair => pair.Teacher)]);
        TrainingSession session = noLabels ? data.OpenImages(parsed, context, TrainingDisplay.On(output)) : data.Open(parsed, context, TrainingDisplay.On(output));
        if (teacherOptions.IsPublished(parsed) && !noLabels)
            TeacherInspection.WriteClasses(output, teacher.ClassNames, session.ClassNames(), teacherOptions.OptionsOf(parsed));
        using var interruption = new Interruption(error, "the best model so far will be saved");
        // With further images an epoch is longer: the controls, which see the labelled ones alone, make as many steps.
        (int All, int Alone)? epochs = unlabelled.Epochs(parsed, session, training.EpochsOf(parsed)) ?? generated.Epochs(parsed, session, training.EpochsOf(parsed));
        ModelReport? teacherReport = null;
        var results = new List<IReadOnlyList<ModelReport>>();

        for (int seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            StudentRun[] students = [.. StudentsOf(seed)];
            foreach (StudentRun[] together in epochs is null ? [students] : students.Chunk(1)) session.TrainAndSave([.. together.Select(s => s.Run)]);
            foreach (StudentRun saved in students) output.WriteLine($"saved {saved.Run.Path}");
            if (interruption.Requested) return Application.Interrupted;
            if (test.Count == 0) continue;
            if (!teacherOptions.IsPublished(parsed)) teacherReport ??= ModelReport.Measure("teacher", teacherOptions.PathOf(parsed), test, interruption.Token);
            results.Add([.. students.Select(s => ModelReport.Measure(s.Name, s.Run.Path, test, interruption.Token))]);
            ComparisonTable.Write(output, teacherReport is null ? results[^1] : [teacherReport, .. results[^1]]);
        }

        if (results.Count > 1) SeedsTable.Write(output, firstSeed, results);
        return Application.Success;

        IEnumerable<StudentRun> StudentsOf(int seed)
        {
            yield return Distilled("student distilled", "distilled");
            if (!control) yield break;
            yield return Alone("student alone", "alone", 0);
            yield return Alone("student alone + L2", "l2", distillation.BoundedRegressionWeight);

            StudentRun Distilled(string name, string run) => Student(name, run, PathOf(seed, ""), generated.Apply(
                unlabelled.Apply(new DistillDetectorOptions { Teacher = teacher, Student = student, Distillation = distillation, WithoutLabels = noLabels }, parsed, session), parsed, session));

            StudentRun Alone(string name, string run, double squaredWeight)
                => Student(name, run, PathOf(seed, $"-{run}"), new TrainDetectorOptions { Detector = student, SquaredRegressionWeight = squaredWeight });

            StudentRun Student<T>(string name, string run, string modelPath, T options) where T : DetectorEstimatorOptions
            {
                string suffix = seeds > 1 ? $"-seed{seed}" : "";
                string? folder = control || seeds > 1 ? run + suffix : null;
                return new StudentRun(name, new TrainingRun(seeds > 1 ? $"{run} {seed}" : run, modelPath, progress =>
                {
                    T applied = training.Apply(options, parsed, folder, interruption.Token);
                    int? length = options is DistillDetectorOptions ? epochs?.All : epochs?.Alone;
                    return applied with { Seed = seed, ValidationSet = session.Validation, Progress = progress, Epochs = length ?? applied.Epochs };
                }));
            }
        }

        string PathOf(int seed, string suffix) => Path.Combine(
            Path.GetDirectoryName(path) ?? "",
            $"{Path.GetFileNameWithoutExtension(path)}{(seeds > 1 ? $"-seed{seed}" : "")}{suffix}{Path.GetExtension(path)}");
    }

    /// <summary>A student to train.</summary>
    /// <param name="Name">What to call it in tables.</param>
    private sealed record StudentRun(string Name, TrainingRun Run);
}
