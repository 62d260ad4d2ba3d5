using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill train</c>: trains a detector without a teacher, to be a teacher or a baseline.</summary>
internal sealed class TrainCommand : System.CommandLine.Command
{
    public TrainCommand()
        : base("train", "Trains a detector without a teacher: a teacher, or a baseline.")
    {
        var data = new DataOptionSet();
        var detector = new DetectorOptionSet("faster-rcnn", "resnet18", "--detector");
        var training = new TrainingOptionSet();
        var precision = new PrecisionOptionSet();
        Option<string?> output = SharedOptions.Output(
            "The model to write: an ML.NET model (.zip), or by its ending an .onnx. [default: best.zip in the run folder]", "FILE");
        var run = new RunOptionSet();
        var report = new ReportOptionSet();
        data.AddTo(Options);
        Options.Add(output);
        run.AddTo(Options);
        report.AddTo(Options);
        detector.AddTo(Options);
        training.AddTo(Options);
        precision.AddTo(Options, withTeacher: false);
        var generated = new GeneratedOptionSet();
        generated.AddTo(Options);
        SetAction(parsed =>
        {
            DetectorPlan plan = detector.Read(parsed);
            precision.Check(parsed);
            training.Check(parsed);
            if (run.HasNone(parsed) && parsed.GetValue(output) is null) throw new UsageException("--run none needs --output.");
            if (parsed.GetValue(output) is { } path) OutputCheck.Model(parsed, "--output", path);
            report.Check(parsed);
            using RunFolder? folder = run.Open(parsed);
            string model = parsed.GetValue(output) ?? folder?.At("best.zip") ?? "best.zip";
            // What is written into the run's folder, that is this run's, needs no lock of its own.
            bool isElsewhere = folder is null || parsed.GetValue(output) is not null;
            using var alone = new OutputLock("--output", RankOptionSet.Writes(parsed) && isElsewhere ? [model] : []);
            return RunFolder.Do(folder, () => Run(parsed, data, plan, training, precision, generated, report, folder, model));
        });
    }

    private static int Run(
        ParseResult parsed, DataOptionSet data, DetectorPlan plan, TrainingOptionSet training, PrecisionOptionSet precision,
        GeneratedOptionSet generated, ReportOptionSet report, RunFolder? folder, string path)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        bool writes = RankOptionSet.Writes(parsed);
        MLContext context = TrainingSession.CreateContext(parsed, training.SeedOf(parsed));
        IReadOnlyList<AnnotatedRow> test = data.OpenTest(parsed, context, training.SkipsInvalid(parsed), error);
        var display = TrainingDisplay.On(SharedOptions.NotesTo(parsed, output));
        TrainingSession session = data.Open(parsed, context, display, training.SkipsInvalid(parsed),
            test.Count > 0);
        training.CheckPatience(parsed, session.Validation is not null);
        folder?.Begin(parsed);
        if (folder is not null) display.Say($"run: {folder.Path}");
        using var interruption = new Interruption(error, "the best model so far will be saved, if an epoch has ended");
        using StopRule stop = training.StopIn(parsed);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token, stop.Token);
        session.TrainAndSave([new TrainingRun("train", path, OptionsFor)], writes, stop);
        output.WriteLine($"saved {path}");
        if (writes) folder?.Finish(parsed, session.Validation is not null, [("", path, training.CheckpointsOf(parsed, null, folder))]);
        if (interruption.Requested) return Application.Interrupted;
        if (!writes) return Application.Success;
        ModelReport? measured = test.Count == 0 ? null
            : ModelReport.Measure(parsed, "trained", path, test, cancellation: interruption.Token);
        if (measured is not null) ComparisonTable.Write(output, [measured]);
        report.Write(parsed, $"Training of {Path.GetFileNameWithoutExtension(path)}",
            () => [measured?.For(DetectorRole.Model) ?? ModelReport.Unmeasured("trained", path, DetectorRole.Model)], test, folder);
        return Application.Success;

        DetectorEstimatorOptions OptionsFor(IProgress<TrainingProgress> shown)
        {
            IProgress<TrainingProgress> progress = stop.Watch(folder?.Watch("", shown) ?? shown);
            var options = new TrainDetectorOptions { Detector = plan, ValidationSet = session.Validation, Progress = progress };
            return generated.Apply(
                training.Apply(precision.Apply(options, parsed), parsed, run: null, ending.Token, folder), parsed, session);
        }
    }
}
