using System.Text.Json;
using Microsoft.ML.Distillation.Distributed;

namespace Microsoft.ML.Distillation.Tests.Distributed;

/// <summary>Two processes with half of each batch do what one does with all of it.</summary>
public class RankExactnessTests
{
    // What sums in another order make of single precision, and four steps of training of that. Low precision rounds values at the edge of
    // two steps to either, and the hint that is compared by |·| has a gradient that jumps at 0.
    private const double LossTolerance = 1e-5, WeightTolerance = 1e-3;
    private const double RoundedLossTolerance = 1e-3, RoundedWeightTolerance = 0.03;

    private TemporaryFolder _folder = null!;
    private Lazy<Dictionary<string, RankOutcome>> _openMpi = null!, _mpich = null!, _local = null!;
    private Lazy<RankOutcome> _resumed = null!;

    [OneTimeSetUp]
    public void Prepare()
    {
        _folder = new TemporaryFolder();
        _openMpi = Begin<Dictionary<string, RankOutcome>>("mpirun.openmpi", "cases", RankCases.Names);
        _mpich = Begin<Dictionary<string, RankOutcome>>("mpirun.mpich", "cases", "two-stage/two-stage", "one-stage/none/validated");
        _local = Begin<Dictionary<string, RankOutcome>>("mpirun.openmpi", "local", "one-stage/none/ema");
        _resumed = Begin<RankOutcome>("mpirun.openmpi", "resume", _folder.Sub("of one"));
    }

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCaseSource(typeof(RankCases), nameof(RankCases.Names))]
    public void TwoRanks_DoAsOneWithAllImages(string name) => Compare(name, _openMpi.Value[name]);

    [TestCase("two-stage/two-stage")]
    [TestCase("one-stage/none/validated")]
    public void TwoRanks_OfMpich_Too(string name) => Compare(name, _mpich.Value[name]);

    [Test]
    public void StatisticsOfEachRank_GiveAnotherResult_TheSameInAllRanks()
        => Assert.That(_local.Value["one-stage/none/ema"].WeightDistance(RankCases.Run("one-stage/none/ema", RankGroup.Alone)),
            Is.InRange(0.01, 1));

    [Test]
    public void ACheckpointOfOneRank_IsTakenUpByTwo_AndTheOtherWayRound()
    {
        RankOutcome whole = RankCases.Run(RankProgram.Long, RankGroup.Alone, options => options with { Epochs = 3 });
        RankCases.Run(RankProgram.Long, RankGroup.Alone, Stopped(_folder.Sub("of one")));
        Near(_resumed.Value, whole, RankProgram.Long);

        _ = Begin<RankOutcome>("mpirun.openmpi", "interrupt", _folder.Sub("of two")).Value;
        Assert.That(File.Exists(Path.Combine(_folder.Sub("of two"), "training.checkpoint")));
        RankOutcome resumed = RankCases.Run(RankProgram.Long, RankGroup.Alone,
            options => options with { Epochs = 3, CheckpointDirectory = _folder.Sub("of two") });
        Near(resumed, whole, RankProgram.Long);
    }

    private static Func<TrainingOptions, TrainingOptions> Stopped(string folder)
    {
        var cancel = new CancellationTokenSource();
        var stopping = new Training.Reports(report => { if (report is { Epoch: 2, EpochEnd: false }) cancel.Cancel(); });
        return options => options with
        {
            Epochs = 3,
            CheckpointDirectory = folder,
            Progress = stopping,
            CancellationToken = cancel.Token,
        };
    }

    private static void Compare(string name, RankOutcome ranks) => Near(ranks, RankCases.Run(name, RankGroup.Alone), name);

    private static void Near(RankOutcome ranks, RankOutcome one, string name)
    {
        bool isRounded = name.EndsWith("low", StringComparison.Ordinal);
        Assert.That(ranks.Losses, Has.Length.EqualTo(one.Losses.Length));
        Assert.That(ranks.LossDistance(one), Is.LessThan(isRounded ? RoundedLossTolerance : LossTolerance), "losses");
        Assert.That(ranks.WeightDistance(one), Is.LessThan(isRounded ? RoundedWeightTolerance : WeightTolerance), "weights");
        Assert.That(ranks.Validations, Is.EqualTo(one.Validations).Within(1e-6), "validation");
    }

    /// <summary>A job whose outcome is asked for later, if at all.</summary>
    private Lazy<T> Begin<T>(string launcher, string scenario, params IEnumerable<string> args) => new(() =>
    {
        string file = _folder.Sub($"{launcher} {scenario}.json");
        using var run = MpiRun.Start(launcher, 2, RankProgram.Assembly, [scenario, file, .. args]);
        run.EndWell();
        return JsonSerializer.Deserialize<T>(File.ReadAllText(file))!;
    }, LazyThreadSafetyMode.ExecutionAndPublication);
}
