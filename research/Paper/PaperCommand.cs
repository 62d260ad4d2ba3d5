using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Distillation.Tool;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Research;

/// <summary><c>./build.sh paper</c>: makes a table of Chen et al. 2017 on the user's data.</summary>
internal sealed class PaperCommand : RootCommand
{
    public PaperCommand()
        : base("Makes a table of Chen et al. 2017 on your data: trains its students and teachers, and writes table-N.md and table-N.json "
            + "after each row. Goes on where it was interrupted.")
    {
        var data = new DataOptionSet();
        var training = new TrainingOptionSet(ownCheckpoints: true);
        Option<int?> table = SharedOptions.Count("--table", "The table, 1 to 5.");
        table.Required = true;
        table.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() > 5) result.AddError("--table must be from 1 to 5.");
        });
        Option<int?> seeds = SharedOptions
            .Count("--seeds", "Train each row with so many seeds, from --seed on; more can be added later. Teachers are of the first. "
            + "[default: 1]");
        Option<string> budget = SharedOptions
            .Choice("--budget", "How large the networks are and how long they train: small for two processors, paper for a GPU.", "small",
            "paper");
        Option<int?> inputSize = SharedOptions
            .Count("--input-size", "The longer side of the networks' input in pixels; Table 2 has it larger and smaller in the paper's "
            + "proportion. [default: by the budget]", least: 32);
        Option<string?> teacher = SharedOptions
            .Path("--teacher", "A trained model to teach in VGG16's place. [default: the row vgg16]", "FILE");
        Option<string?> start = SharedOptions
            .Path("--start", "A trained model from whose parts the compressed networks start, and which teaches, in AlexNet's place. "
            + "[default: the row alexnet]", "FILE");
        Option<string?> weights = SharedOptions
            .Path("--weights", "For --budget paper: a folder with pre-trained weights, alexnet, vgg-m, vgg16 as .pth, .pt or "
            + ".safetensors. [default: random weights]", "DIR");
        Option<string?> rows = SharedOptions
            .Text("--rows", "Only these rows of the table, with commas between them, and what they need.", "NAME,…");
        Option<string> output = SharedOptions
            .RequiredPath("--output", "The folder for the tables; all tables of a data set can share it, and then share rows.", "DIR");
        Options.Add(table);
        data.AddTo(Options);
        foreach (Option option in (Option[])[output, seeds, budget, inputSize, teacher, start, weights, rows]) Options.Add(option);
        training.AddTo(Options);
        SetAction(parsed =>
        {
            PaperBudget chosen = (parsed.GetValue(budget) == "paper" ? PaperBudget.Full : PaperBudget.Small)
                .At(parsed.GetValue(inputSize)).WithWeights(parsed.GetValue(weights));
            var given = new Dictionary<string, string>();
            if (parsed.GetValue(teacher) is { } vgg16) given["vgg16"] = vgg16;
            if (parsed.GetValue(start) is { } alexNet) given["alexnet"] = alexNet;
            var request = new Request(
                parsed.GetValue(table)!.Value, parsed.GetValue(seeds) ?? 1, parsed.GetRequiredValue(output), given,
                parsed.GetValue(rows)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? []);
            return Run(parsed, data, training, chosen, request);
        });
    }

    private static int Run(ParseResult parsed, DataOptionSet data, TrainingOptionSet training, PaperBudget budget, Request request)
    {
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var tables = new PaperTables(budget);
        PaperTable table = tables.Tables[request.Table - 1];
        if (request.Rows.FirstOrDefault(name => table.Cells.All(cell => cell.Row.Id != name)) is { } unknown)
            throw new UsageException($"--rows: Table {table.Number} has no row '{unknown}', but: "
                + $"{string.Join(", ", table.Cells.Select(cell => cell.Row.Id))}.");
        if (request.Given.Values.FirstOrDefault(file => !File.Exists(file)) is { } lost) throw new FileNotFoundException(
            $"There is no model '{lost}'.", lost);

        OutputCheck.Folder("--output", request.Folder);
        int seed = training.SeedOf(parsed);
        MLContext context = TrainingSession.CreateContext(parsed, seed);
        IReadOnlyList<AnnotatedRow> test = data.OpenTest(parsed, context, training.SkipsInvalid(parsed), error);
        if (test.Count == 0) throw new UsageException(
            "A table needs images to measure on: the data have no test part, so name one with --test-split.");
        TrainingSession session = data.Open(parsed, context, TrainingDisplay.On(output), training.SkipsInvalid(parsed));
        IReadOnlyList<AnnotatedRow> train = session.TrainImages();
        if (budget.Name == PaperBudget.Full.Name && budget.WeightFiles.Length == 0)
            error.WriteLine("Without --weights the networks start from random weights; the paper's were trained on ImageNet before.");
        using var interruption = new Interruption(error, "the table can be continued by the same command");
        DetectorEstimatorOptions schedule = Configure(new TrainDetectorOptions(), furtherTraining: false);
        var settings = new Dictionary<string, string>
        {
            ["budget"] = budget.Name,
            ["images"] = string.Create(CultureInfo.InvariantCulture, $"{train.Count} to train, {test.Count} to measure"),
            ["data"] = DataFingerprint.Of(train, test),
            ["input"] = string.Create(CultureInfo.InvariantCulture, $"{budget.InputSizes.Usual} pixels"),
            ["epochs"] = string.Create(CultureInfo.InvariantCulture, $"{schedule.Epochs}, compressed networks {Further(schedule.Epochs)}"),
            ["batch"] = schedule.BatchSize.ToString(CultureInfo.InvariantCulture),
            ["given models"] = request.Given.Count == 0 ? "none" : string
                .Join(", ", request.Given.Select(model
                => $"{Path.GetFileName(model.Value)} ({Teacher.FromModel(model.Value).Fingerprint[..12]}) for {model.Key}")),
            ["first seed"] = seed.ToString(CultureInfo.InvariantCulture),
        };
        if (OtherThan(budget.Apply(new TrainDetectorOptions(), train.Count), schedule)
            is { Length: > 0 } other) settings["other options"] = other;
        if (budget.WeightFiles is { Length: > 0 } files) settings["pre-trained weights"] = files;
        var results = new PaperResults(request.Folder, settings);
        var setting = new PaperSetting(request.Folder, seed, request.Given, test, train, Configure, interruption.Token);
        new PaperRunner(tables, setting, results, session, output).Run(table, request.Seeds, request.Rows);
        output.WriteLine($"saved {Path.Combine(request.Folder, $"table-{table.Number}.md")}");
        return interruption.Requested ? Application.Interrupted : Application.Success;

        DetectorEstimatorOptions Configure(DetectorEstimatorOptions options, bool furtherTraining)
        {
            DetectorEstimatorOptions full = training.Apply(budget.Apply(options, train.Count), parsed, run: null, interruption.Token);
            return furtherTraining ? full with
            {
                Epochs = Further(full.Epochs),
                LearningRate = training.LearningRateOf(parsed)
                ?? budget.FineTuningRate
            } : full;
        }
    }

    /// <summary>The options that decide what is trained and are not the budget's; the number of epochs and the batch are told
    /// anyway.</summary>
    private static string OtherThan(TrainingOptions usual, TrainingOptions chosen)
    {
        (string Name, Func<TrainingOptions, object?> Value)[] all =
        [
            ("optimizer", o => o.Optimizer), ("schedule", o => o.Schedule), ("learning rate", o => o.LearningRate),
            ("weight decay", o => o.WeightDecay),
            ("warmup steps", o => o.WarmupSteps), ("average", o => o.EmaDecay),
            ("augmentation", o => o.Augmentation == AugmentationOptions.None ? "none" : "usual"),
        ];
        return string.Join(", ", all.Where(option => !Equals(option.Value(usual), option.Value(chosen)))
            .Select(option => string.Create(CultureInfo.InvariantCulture, $"{option.Name} {option.Value(chosen)}")));
    }

    /// <summary>Networks that start from the parts of a trained one train half as long.</summary>
    private static int? Further(int? epochs) => epochs is int full ? Math.Max(1, full / 2) : null;

    private sealed record Request(int Table, int Seeds, string Folder, IReadOnlyDictionary<string, string> Given,
        IReadOnlyCollection<string> Rows);
}
