using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill distill</c>: trains a student under a teacher, and its controls without one.</summary>
internal sealed class DistillCommand : System.CommandLine.Command
{
    private readonly Option<string?> _output = SharedOptions.Output(
        "The student to write: an ML.NET model (.zip), or by its ending an .onnx. [default: best.zip in the run folder]", "FILE");

    private readonly Option<bool> _control = new("--control")
    {
        Description = "Also train the same student without a teacher, from the same weights on the same batches: plainly (NAME-alone.zip), "
            + "and with the bounded loss, but without its teacher (NAME-l2.zip): a squared loss to the ground truth's boxes, for "
                + "one-stage more of their GIoU loss.",
    };

    private readonly Option<int?> _seeds = SharedOptions.Count("--seeds",
        "Train with so many seeds, from --seed on (NAME-seed1.zip, NAME-seed2.zip, …), and show what the teacher brings in the mean. "
            + "[default: 1]");

    private readonly Option<bool> _noLabels = new("--no-labels")
    {
        Description = "--data is a folder of images without labels: the student learns from the teacher alone, and its classes are the "
            + "teacher's.",
    };

    public DistillCommand()
        : base("distill", "Trains a compact student detector under a teacher.")
    {
        Data.AddTo(Options);
        foreach (Option option in (Option[])[_output, _control, _seeds, _noLabels]) Options.Add(option);
        RunFolders.AddTo(Options);
        Teacher.AddTo(Options);
        Hints.AddTo(Options);
        Generated.AddTo(Options);
        Unlabelled.AddTo(Options);
        Report.AddTo(Options);
        Student.AddTo(Options);
        Distillation.AddTo(Options);
        Training.AddTo(Options);
        Precision.AddTo(Options, withTeacher: true);
        SetAction(parsed => new DistillRun(this, parsed).Run());
    }

    public DataOptionSet Data { get; } = new();

    public RunOptionSet RunFolders { get; } = new();

    public TeacherOptionSet Teacher { get; } = new();

    public HintOptionSet Hints { get; } = new();

    public GeneratedOptionSet Generated { get; } = new();

    public UnlabelledOptionSet Unlabelled { get; } = new();

    public ReportOptionSet Report { get; } = new();

    public DetectorOptionSet Student { get; } = new("balanced", "shufflenet-0.5");

    public DistillationOptionSet Distillation { get; } = new();

    public TrainingOptionSet Training { get; } = new();

    public PrecisionOptionSet Precision { get; } = new();

    /// <summary>Checks before the run's folder is made where the student and the report are to go.</summary>
    /// <param name="students">The students of all seeds and their controls.</param>
    /// <exception cref="UsageException">One of them cannot be written.</exception>
    public void CheckOutputs(ParseResult parsed, IEnumerable<string> students)
    {
        if (RunFolders.HasNone(parsed) && parsed.GetValue(_output) is null) throw new UsageException("--run none needs --output.");
        if (parsed.GetValue(_output) is { } path)
        {
            foreach (string student in students.Prepend(path)) OutputCheck.Model(parsed, _output.Name, student);
        }

        Report.Check(parsed);
    }

    /// <summary>The student to write.</summary>
    /// <param name="folder">The run's folder, where it goes if nothing else is said.</param>
    public string OutputOf(ParseResult parsed, RunFolder? folder) => parsed.GetValue(_output) ?? folder?.At("best.zip") ?? "best.zip";

    /// <summary>Whether the student is to be written elsewhere than into the run's folder.</summary>
    public bool NamesOutput(ParseResult parsed) => parsed.GetValue(_output) is not null;

    /// <summary>Whether the controls are wanted.</summary>
    public bool ControlIn(ParseResult parsed) => parsed.GetValue(_control);

    /// <summary>Whether the images have no labels.</summary>
    public bool NoLabelsIn(ParseResult parsed) => parsed.GetValue(_noLabels);

    /// <summary>The seeds.</summary>
    public IReadOnlyList<int> SeedsIn(ParseResult parsed) => [.. Enumerable.Range(Training.SeedOf(parsed), parsed.GetValue(_seeds) ?? 1)];
}
