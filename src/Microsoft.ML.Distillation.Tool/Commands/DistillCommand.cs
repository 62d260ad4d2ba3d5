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
        data.AddTo(Options);
        foreach (Option option in (Option[])[output, control]) Options.Add(option);
        teacher.AddTo(Options);
        hints.AddTo(Options);
        generated.AddTo(Options);
        unlabelled.AddTo(Options);
        student.AddTo(Options);
        distillation.AddTo(Options);
        training.AddTo(Options);
        SetAction(parsed => Run(parsed, data, student.Read(parsed), training, hints.Apply(distillation.Read(parsed), parsed), unlabelled, generated,
            teacher, parsed.GetRequiredValue(output), parsed.GetValue(control)));
    }

    private static int Run(
        ParseResult parsed, DataOptionSet data, StudentDetector student, TrainingOptionSet training, DistillationOptions distillation,
        UnlabelledOptionSet unlabelled, GeneratedOptionSet generated, TeacherOptionSet teacherOptions, string path, bool control)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        MLContext context = TrainingSession.CreateContext(training.SeedOf(parsed), parsed.GetValue(SharedOptions.Verbose), error);
        IReadOnlyList<AnnotatedImage> test = data.OpenTest(parsed, context);
        Teacher teacher = teacherOptions.Open(parsed, [.. (distillation.Hints ?? []).Select(pair => pair.Teacher)]);
        TrainingSession session = data.Open(parsed, context, TrainingDisplay.On(output));
        using var interruption = new Interruption(error, "the best model so far will be saved");
        var models = new List<(string Name, string Path)>();
        if (!teacherOptions.IsPublished(parsed)) models.Add(("teacher", teacherOptions.PathOf(parsed)));

        // With further images an epoch is longer: the controls make as many steps.
        (int All, int Alone)? epochs = unlabelled.Epochs(parsed, session, training.EpochsOf(parsed));

        Add("student distilled", path, "distilled", progress => context.Transforms.DistillDetector(unlabelled.Apply(InEpochs(epochs?.All, generated.Apply(training.Apply(
            new DistillDetectorOptions { Teacher = teacher, Student = student, Distillation = distillation, ValidationSet = session.Validation, Progress = progress },
            parsed, control ? "distilled" : null, interruption.Token), parsed, session)), parsed, session)));
        if (control)
        {
            AddControl("student alone", "alone", 0);
            AddControl("student alone + L2", "l2", distillation.BoundedRegressionWeight);
        }

        if (interruption.Requested) return Application.Interrupted;
        if (test.Count > 0) ComparisonTable.Write(output, [.. models.Select(model => ModelReport.Measure(model.Name, model.Path, test, interruption.Token))]);
        return Application.Success;

        void AddControl(string name, string suffix, double squaredWeight) => Add(name, Suffixed(path, suffix), suffix, progress =>
            context.Transforms.TrainDetector(InEpochs(epochs?.Alone, training.Apply(
                new TrainDetectorOptions { Detector = student, SquaredRegressionWeight = squaredWeight, ValidationSet = session.Validation, Progress = progress },
                parsed, suffix, interruption.Token))));

        void Add(string name, string modelPath, string title, Func<IProgress<TrainingProgress>, IEstimator<DetectorTransformer>> estimatorFor)
        {
            if (interruption.Requested) return;
            session.TrainAndSave(title, modelPath, estimatorFor);
            output.WriteLine($"saved {modelPath}");
            models.Add((name, modelPath));
        }
    }

    private static T InEpochs<T>(int? epochs, T options) where T : TrainingOptions
        => (T)((TrainingOptions)options with { Epochs = epochs ?? options.Epochs });

    private static string Suffixed(string path, string suffix)
        => Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-{suffix}{Path.GetExtension(path)}");
}
