using System.Text.Json;
using Microsoft.ML.Distillation.Distributed;

namespace Microsoft.ML.Distillation.Tests.Distributed;

/// <summary>What happens to one process ends all, in a bounded time, and what was reached goes on.</summary>
public class RankFaultTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void AKilledRank_EndsTheJob_WhichGoesOnFromItsCheckpoint()
    {
        RankOutcome whole = RankCases.Run(RankProgram.Long, RankGroup.Alone, options => options with { Epochs = 3 });
        // Two steps an epoch: at some step of the second or third there is a checkpoint.
        int step = new Random().Next(3, 7);
        ProgramRun killed = Run("kill", $"{step}");
        Assert.That(killed.ExitCode, Is.Not.Zero);
        Assert.That(killed.Error, Does.Contain("rank 1").And.Contains("signal 9"), "the launcher names it");

        string file = _folder.Sub("whole.json");
        using (MpiRun again = Start("resume", file)) again.EndWell();
        var resumed = JsonSerializer.Deserialize<RankOutcome>(File.ReadAllText(file))!;
        Assert.That(resumed.LossDistance(whole), Is.LessThan(1e-5), $"killed in step {step}");
        Assert.That(resumed.WeightDistance(whole), Is.LessThan(1e-3), $"killed in step {step}");
    }

    [Test]
    public void ARankThatHangs_IsNamed()
    {
        ProgramRun run = Run("hang", "2");
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain("rank 1 of 2").And.Contains("gave no answer"));
    }

    [Test]
    public void ARankThatCannotGoOn_EndsTheJob_WithItsReason()
    {
        ProgramRun run = Run("throw", "2");
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain("rank 1 of 2").And.Contains("'street.jpg' is cut off."));
    }

    private MpiRun Start(string scenario, string file, params IEnumerable<string> more)
        => MpiRun.Start("mpirun.openmpi", 2, RankProgram.Assembly, [scenario, file, _folder.Sub("checkpoints"), .. more]);

    private ProgramRun Run(string scenario, string step)
    {
        using MpiRun run = Start(scenario, _folder.Sub("none"), step);
        return run.End(TimeSpan.FromMinutes(1));
    }
}
