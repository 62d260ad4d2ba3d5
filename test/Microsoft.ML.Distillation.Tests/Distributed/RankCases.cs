using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tests.Training;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Distributed;

/// <summary>What came of a training: for each epoch the terms of the loss and the validation, and the weights before and after.</summary>
internal sealed record RankOutcome(Dictionary<string, double>[] Losses, double?[] Validations, float[] Start, float[] End)
{
    /// <summary>The largest difference of a term of the loss, as a share of the total.</summary>
    public double LossDistance(RankOutcome other) => Losses.Zip(other.Losses,
        (own, theirs) => own.Max(term => Math.Abs(term.Value - theirs[term.Key])) / own.Values.Sum()).Max();

    /// <summary>The distance of the weights, as a share of how far training moved them.</summary>
    public double WeightDistance(RankOutcome other) => Distance(End, other.End) / Distance(End, Start);

    private static double Distance(float[] one, float[] other)
        => Math.Sqrt(one.Zip(other, (a, b) => (double)(a - b) * (a - b)).Sum());
}

/// <summary>
/// Small trainings that several processes do as one does. Each shows 8 drawn images in steps of 4, and is made of everything by its name.
/// </summary>
internal static class RankCases
{
    private const int TotalBatch = 4;

    private static readonly string[] Classes = ["square", "disc"];

    /// <summary>The cases: student, teacher, and what is special.</summary>
    public static readonly string[] Names =
    [
        "two-stage/none", "two-stage/none/adamw", "two-stage/two-stage", "two-stage/two-stage/all", "two-stage/none/squared",
        "two-stage/two-stage/low", "two-stage/joint", "one-stage/none/ema", "one-stage/one-stage", "one-stage/one-stage/all",
        "one-stage/two-stage/bounded", "one-stage/none/validated",
    ];

    /// <summary>Trains.</summary>
    /// <param name="ranks">The processes that do it together.</param>
    /// <param name="change">What to change of the options.</param>
    public static RankOutcome Run(string name, RankGroup ranks, Func<TrainingOptions, TrainingOptions>? change = null)
    {
        string[] parts = name.Split('/');
        string special = parts.Length > 2 ? parts[2] : "";
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(8);
        using var others = new DrawnDataset(7, seed: 3);
        // Another network in each rank: training begins with that of the first.
        int seed = 1 + ranks.Rank;
        using Detector student = parts[0] == "two-stage" ? TinyRun.Detector(seed) : OneStageRun.Detector(seed);
        if (special == "low") student.LowerPrecision(LowPrecision.W8A8);
        FasterRcnn fresh = TinyRun.Detector(seed: 9 + ranks.Rank, inputSize: 112);
        using ITeacher? teacher = parts[1] switch
        {
            "two-stage" => TinyRun.Teacher(),
            "one-stage" => new OneStageTeacher(OneStageRun.Detector(seed: 9, widths: [8, 16, 32]), Classes, CPU),
            "joint" => new JointTeacher(new TwoStageTeacher(fresh, Classes, CPU), fresh),
            _ => null,
        };
        DetectorEstimatorOptions losses = teacher is null
            ? new TrainDetectorOptions { SquaredRegressionWeight = special == "squared" ? 0.5 : 0 }
            : new DistillDetectorOptions { Teacher = null!, Losses = LossesOf(parts[0], parts[1], special) };
        manual_seed(7 + ranks.Rank);
        using IObjective objective = losses.Setup.ObjectiveOf(student, teacher, CPU, ranks);
        TrainingOptions options = TinyRun.Options(2) with
        {
            BatchSize = TotalBatch,
            Optimizer = special == "adamw" ? OptimizerKind.AdamW : OptimizerKind.Sgd,
            LearningRate = special == "adamw" ? 0.002 : 0.005,
            Schedule = special == "adamw" ? LearningRateSchedule.Step : LearningRateSchedule.Cosine,
            EmaDecay = special == "ema" ? 0.9 : null,
        };
        options = change?.Invoke(options) ?? options;
        float[] start = TrainingLoopTests.Values(student);
        TrainingResult result = new TrainingLoop([(objective, options)], teacher, data, special == "validated" ? others : null, CPU, ranks)
            .Run()[0];
        return new RankOutcome(
            [.. result.History.Select(epoch => epoch.Losses.ToDictionary(term => term.Key, term => term.Value))],
            [.. result.History.Select(epoch => epoch.ValidationAp)], start, TrainingLoopTests.Values(student));
    }

    private static DistillationLoss[]? LossesOf(string student, string teacher, string special) => special switch
    {
        "all" =>
        [
            new SoftClasses { LabelWeight = 0.4, Weight = 0.7, Temperature = 2 },
            new ClassRelations(),
            .. student == "one-stage" ? (DistillationLoss[])[new BoxDistributions(), new CrossHead()] : [],
            new BoundedBoxes { Weight = 0.3, Margin = 0.1 },
            new Hint { Weight = 0.6 },
            new PearsonFeatures { Weight = 3 },
            new ChannelWise { Weight = 4, Temperature = 2 },
            new MaskedGeneration { Weight = 0.5, MaskedShare = 0.5 },
        ],
        "bounded" => [new SoftClasses(), new BoundedBoxes(), new Hint { Adaptation = HintAdaptation.None, Norm = HintNorm.L1 }],
        _ => null,
    };
}
