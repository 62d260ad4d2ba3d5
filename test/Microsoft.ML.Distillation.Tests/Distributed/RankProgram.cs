using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Distributed;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Distributed;

/// <summary>What the tests start under <c>mpirun</c>: this assembly as a program.</summary>
internal static class RankProgram
{
    /// <summary>The case that the scenarios with checkpoints train.</summary>
    public const string Long = "two-stage/none/ema";

    /// <summary>The assembly.</summary>
    public static string Assembly => typeof(RankProgram).Assembly.Location;

    /// <summary>Runs a scenario, and writes what rank 0 found as JSON.</summary>
    /// <param name="args">The scenario's name, the file to write, and what the scenario asks for.</param>
    public static int Main(string[] args)
    {
        set_num_threads(1);
        var options = new DistributedOptions
        {
            Timeout = TimeSpan.FromSeconds(args[0] == "hang" ? 2 : 120),
            BatchStatistics = args[0] == "local" ? BatchStatistics.EachRank : BatchStatistics.AllRanks,
        };
        using RankGroup ranks = RankGroup.Join(options);
        try
        {
            object found = args[0] switch
            {
                // Of each case, and whether all ranks have come to the same.
                "cases" or "local" => args[2..].ToDictionary(name => name, name => Same(RankCases.Run(name, ranks), ranks)),
                "interrupt" => RankCases.Run(Long, ranks, Saving(args[2], ranks, stop: true)),
                "resume" => RankCases.Run(Long, ranks, Saving(args[2], ranks, stop: false)),
                "kill" => RankCases.Run(Long, ranks, Broken(args, ranks, () => Process.GetCurrentProcess().Kill())),
                "hang" => RankCases.Run(Long, ranks, Broken(args, ranks, () => Thread.Sleep(Timeout.Infinite))),
                "throw" => RankCases.Run(Long, ranks, Broken(args, ranks,
                    () => throw new InvalidDataException("'street.jpg' is cut off."))),
                _ => throw new ArgumentException($"There is no scenario {args[0]}."),
            };
            if (ranks.IsFirst) File.WriteAllText(args[1], JsonSerializer.Serialize(found));
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(ranks.Fail(error, isShared: false).Message);
            return 1;
        }
    }

    private static RankOutcome Same(RankOutcome own, RankGroup ranks)
    {
        float[] first = ranks.Broadcast(own.End);
        return first.SequenceEqual(own.End) ? own : throw new InvalidOperationException("The ranks have come to different weights.");
    }

    private static Func<TrainingOptions, TrainingOptions> Saving(string folder, RankGroup ranks, bool stop)
    {
        var cancel = new CancellationTokenSource();
        // In rank 0, to which alone progress is told; the others hear of it.
        var stopping = new Training.Reports(report =>
        {
            if (stop && report is { Epoch: 2, EpochEnd: false } && ranks.IsFirst) cancel.Cancel();
        });
        return options => options with
        {
            Epochs = 3,
            CheckpointDirectory = ranks.IsFirst ? folder : null,
            CancellationToken = cancel.Token,
            Progress = stopping,
        };
    }

    /// <summary>Training with checkpoints in whose step something happens to the last rank.</summary>
    private static Func<TrainingOptions, TrainingOptions> Broken(string[] args, RankGroup ranks, Action happens)
    {
        int step = int.Parse(args[3], CultureInfo.InvariantCulture);
        var breaking = new Training.Reports(report =>
        {
            if (report.Step == step && ranks.Rank == ranks.Count - 1) happens();
        });
        return options => Saving(args[2], ranks, stop: false)(options) with { Progress = breaking };
    }
}
