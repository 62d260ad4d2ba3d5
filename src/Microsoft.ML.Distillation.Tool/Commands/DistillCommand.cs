using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill distill</c>: trains a student under a teacher, and its controls without one.</summary>
internal sealed class DistillCommand : System.CommandLine.Command
{
    public DistillCommand()
        : base("distill", "Trains a compact student detector under a teacher.")
    {
        var data = new DataOptionSet();
        var student = new DetectorOptionSet("shufflenet-0.5", 320);
        var training = new TrainingOptionSet();
        var distillation = new DistillationOptionSet();
        var precision = new PrecisionOptionSet();
        Option<string> teacher = SharedOptions.RequiredPath("--teacher", "The teacher: a model of 'ml-distill train' (.zip or .onnx).", "FILE");
        Option<string> output = SharedOptions.RequiredPath("--output", "The student to write, an ML.NET model (.zip).", "FILE");
        var control = new Option<bool>("--control")
        {
            Description = "Also train the same student without a teacher, from the same weights on the same batches: plainly (NAME-alone.zip), "
                + "and with a plain squared loss to the ground truth's boxes in the bounded loss's place (NAME-l2.zip).",
        };
        data.AddTo(Options);
        foreach (Option option in (Option[])[teacher, output, control]) Options.Add(option);
        student.AddTo(Options);
        distillation.AddTo(Options);
        training.AddTo(Options);
        precision.AddTo(Options, withTeacher: true);
        SetAction(parsed => Run(parsed, data, student.Read(parsed), training, distillation.Read(parsed), precision,
            parsed.GetRequiredValue(teacher), parsed.GetRequiredValue(output), parsed.GetValue(control)));
    }

    private static int Run(
        ParseResult parsed, DataOptionSet data, StudentDetector student, TrainingOptionSet training, DistillationOptions distillation, PrecisionOptionSet precision,
        string teacherPath, string path, bool control)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        MLContext context = TrainingSession.CreateContext(training.SeedOf(parsed), parsed.GetValue(SharedOptions.Verbose), error);
        precision.Check(parsed);
        IReadOnlyList<AnnotatedImage> test = data.OpenTest(parsed, context);
        Teacher teacher = Teacher.FromModel(teacherPath);
        TrainingSession session = data.Open(parsed, context, TrainingDisplay.On(output));
        using var interruption = new Interruption(error, "the best model so far will be saved");
        var models = new List<(string Name, string Path)> { ("teacher", teacherPath) };

        Add("student distilled", path, "distilled", progress => context.Transforms.DistillDetector(training.Apply(
            precision.Apply(
                new DistillDetectorOptions { Teacher = teacher, Student = student, Distillation = distillation, Scheme = precision.Scheme(parsed), ValidationSet = session.Validation, Progress = progress },
                parsed),
            parsed, control ? "distilled" : null, interruption.Token)));
        if (control)
        {
            AddControl("student alone", "alone", 0);
            AddControl("student alone + L2", "l2", distillation.BoundedRegressionWeight);
        }

        if (interruption.Requested) return Application.Interrupted;
        if (test.Count > 0) ComparisonTable.Write(output, [.. models.Select(model => ModelReport.Measure(model.Name, model.Path, test, interruption.Token))]);
        return Application.Success;

        void AddControl(string name, string suffix, double squaredWeight) => Add(name, Suffixed(path, suffix), suffix, progress =>
            context.Transforms.TrainDetector(training.Apply(
                precision.Apply(new TrainDetectorOptions { Detector = student, SquaredRegressionWeight = squaredWeight, ValidationSet = session.Validation, Progress = progress }, parsed),
                parsed, suffix, interruption.Token)));

        void Add(string name, string modelPath, string title, Func<IProgress<TrainingProgress>, IEstimator<DetectorTransformer>> estimatorFor)
        {
            if (interruption.Requested) return;
            session.TrainAndSave(title, modelPath, estimatorFor);
            output.WriteLine($"saved {modelPath}");
            models.Add((name, modelPath));
        }
    }

    private static string Suffixed(string path, string suffix)
        => Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-{suffix}{Path.GetExtension(path)}");
}
