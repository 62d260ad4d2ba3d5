using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill train</c>: trains a detector without a teacher, to be a teacher or a baseline.</summary>
internal sealed class TrainCommand : System.CommandLine.Command
{
    public TrainCommand()
        : base("train", "Trains a detector without a teacher: a teacher, or a baseline.")
    {
        var data = new DataOptionSet();
        var detector = new DetectorOptionSet("resnet18", 320);
        var training = new TrainingOptionSet();
        var precision = new PrecisionOptionSet();
        Option<string> output = SharedOptions
            .RequiredOutput("The model to write: an ML.NET model (.zip), or by its ending an .onnx.", "FILE");
        data.AddTo(Options);
        Options.Add(output);
        detector.AddTo(Options);
        training.AddTo(Options);
        precision.AddTo(Options, withTeacher: false);
        var generated = new GeneratedOptionSet();
        generated.AddTo(Options);
        SetAction(parsed => Run(parsed, data, detector, training, precision, generated, parsed.GetRequiredValue(output)));
    }

    private static int Run(
        ParseResult parsed, DataOptionSet data, DetectorOptionSet detector, TrainingOptionSet training, PrecisionOptionSet precision,
        GeneratedOptionSet generated, string path)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        DetectorPlan plan = detector.Read(parsed);
        precision.Check(parsed);
        OutputCheck.Model(parsed, "--output", path);
        bool writes = RankOptionSet.Writes(parsed);
        using var alone = new OutputLock("--output", writes ? [path] : []);
        MLContext context = TrainingSession.CreateContext(training.SeedOf(parsed), parsed.GetValue(SharedOptions.Verbose), error);
        IReadOnlyList<AnnotatedRow> test = data.OpenTest(parsed, context, training.SkipsInvalid(parsed), error);
        TrainingSession session = data.Open(parsed, context, TrainingDisplay.On(output), training.SkipsInvalid(parsed),
            test.Count > 0);
        using var interruption = new Interruption(error, "the best model so far will be saved, if an epoch has ended");
        session.TrainAndSave([new TrainingRun("train", path, progress => generated.Apply(training.Apply(
            precision.Apply(new TrainDetectorOptions { Detector = plan, ValidationSet = session.Validation, Progress = progress }, parsed),
            parsed, run: null, interruption.Token), parsed, session))], writes);
        output.WriteLine($"saved {path}");
        if (interruption.Requested) return Application.Interrupted;
        if (test.Count == 0 || !writes) return Application.Success;
        ComparisonTable.Write(output, [ModelReport.Measure("trained", path, test, SharedOptions.MaxPixelsIn(parsed), interruption.Token)]);
        return Application.Success;
    }
}
