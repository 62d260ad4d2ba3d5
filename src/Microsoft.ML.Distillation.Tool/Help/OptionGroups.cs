using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Help;

/// <summary>Which group of the help an option stands in, by its name.</summary>
internal static class OptionGroups
{
    private const string Other = "Other";

    private static readonly (string Group, string[] Names)[] Groups =
    [
        ("Data", ["--data", "--format", "--image-folder", "--names", "--split", "--train-split", "--val-split", "--val-share",
            "--test-split", "--images", "--runs", "--threads", "--labelled", "--labelled-split", "--ground-truth", "--detections",
            "--skip-invalid",
            "--allow-missing-images", "--copy-images", "--max-pixels", "--generated", "--labelled-share", "--unlabelled",
            "--label-score", "--labels-per-class", "--no-labels", "--image", "--ids", "--calibration-images"]),
        ("Model", ["--model", "--classes", "--model-format", "--model-layout", "--model-size", "--score"]),
        ("Output", ["--output", "--run", "--resume", "--config", "--json", "--to", "--output-format", "--merge", "--draw", "--draw-score",
            "--pictures", "--report", "--report-pictures", "--timing", "--plain", "--form", "--metric", "--errors", "--exclusive-pixels",
            "--tensors", "--alone", "--quantized"]),
        ("Teacher", ["--teacher", "--hint", "--scales", "--no-flip-views", "--voting-overlap", "--suppression-overlap", "--least-score"]),
        ("Words", ["--prompt", "--prompts", "--tokenizer", "--text-encoder", "--embeddings", "--phrase-score", "--phrases-apart"]),
        ("Student", ["--student", "--detector", "--backbone", "--widths", "--stages", "--weights", "--fpn", "--input-size", "--head-width",
            "--maps", "--neck", "--channels", "--head-layers", "--strides", "--assignment", "--dense-convolutions", "--from"]),
        ("Losses", ["--hard-weight", "--soft-weight", "--background-weight", "--temperature", "--bounded-weight", "--margin", "--boxes",
            "--hint-weight", "--hint-adaptation", "--hint-norm", "--distill-parts", "--no-soft-targets", "--teacher-weight",
            "--feature-loss", "--feature-fade", "--dist-weight", "--ld-weight", "--crosskd-weight"]),
        ("Training", ["--epochs", "--batch-size", "--accumulate", "--control", "--seeds", "--seed", "--optimizer", "--schedule",
            "--learning-rate", "--backbone-rate", "--weight-decay", "--warmup-steps", "--ema", "--patience", "--max-hours", "--augment",
            "--no-flip", "--no-augmentation", "--checkpoints", "--device", "--mixed-precision", "--loader-threads"]),
        ("Low precision and compression", ["--precision", "--quantizer", "--quantize-all", "--scheme", "--flops", "--head-flops",
            "--rank"]),
        ("Several processes", ["--no-mpi", "--local-batch-norm", "--mpi-timeout", "--mpi-library", "--shard", "--shards"]),
        (Other, []),
    ];

    /// <summary>The options of a command that help shows, by groups, in the order of the groups and within each of its list.</summary>
    public static IEnumerable<(string Group, IReadOnlyList<Option> Options)> Of(IEnumerable<Option> options)
        => from option in options.Where(option => !option.Hidden)
           let place = PlaceOf(option.Name)
           orderby place.Group, place.Index
           group option by place.Group into together
           select (Groups[together.Key].Group, (IReadOnlyList<Option>)[.. together]);

    private static (int Group, int Index) PlaceOf(string name)
    {
        for (int i = 0; i < Groups.Length; i++)
        {
            int index = Array.IndexOf(Groups[i].Names, name);
            if (index >= 0) return (i, index);
        }

        string group = name.StartsWith("--teacher-", StringComparison.Ordinal) ? "Teacher"
            : name.StartsWith("--backbone-", StringComparison.Ordinal) ? "Student"
            : name.StartsWith("--model-", StringComparison.Ordinal) ? "Model" : Other;
        return (Array.FindIndex(Groups, one => one.Group == group), int.MaxValue);
    }
}
