using System.Diagnostics;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>A folder in which runs of <c>ml-distill</c>, each a process, are killed and begun again.</summary>
internal sealed class KilledRuns : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Random _random = new(17);
    private readonly string _temporary;

    public KilledRuns() => _temporary = Directory.CreateDirectory(_folder.Sub("tmp")).FullName;

    /// <summary>
    /// How often a run is killed: what the variable ML_DISTILLATION_KILLS says, 100 for the run that is made by hand, else a few.
    /// </summary>
    public static int Count(int few)
        => int.TryParse(Environment.GetEnvironmentVariable("ML_DISTILLATION_KILLS"), out int count) ? count : few;

    /// <summary>A path in the folder.</summary>
    public string At(string name) => _folder.Sub(name);

    /// <summary>Starts a run.</summary>
    public Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ml-distill.dll"), .. args])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TMPDIR"] = _temporary;
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        return Process.Start(start)!;
    }

    /// <summary>Makes a run to its end.</summary>
    /// <returns>How long it took.</returns>
    public TimeSpan Finish(params string[] args)
    {
        long started = Stopwatch.GetTimestamp();
        using Process process = Start(args);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output + error.Result);
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Kills runs at random moments.</summary>
    /// <param name="count">How many.</param>
    /// <param name="length">How long a run takes that is not killed.</param>
    /// <param name="afterEach">Looks at what is there, knowing whether the run came to its end before it could be killed.</param>
    public void Kill(int count, TimeSpan length, Action<bool> afterEach, params string[] args)
    {
        int kills = 0;
        for (int runs = 0; kills < count && runs < 3 * count; runs++)
        {
            using Process process = Start(args);
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            bool ended = process.WaitForExit(length * (0.1 + 0.9 * _random.NextDouble()));
            if (!ended) process.Kill();
            process.WaitForExit();
            if (process.ExitCode == 137) kills++;
            else Assert.That(process.ExitCode, Is.Zero, "a run that was not killed goes well");
            afterEach(process.ExitCode == 0);
        }

        TestContext.Out.WriteLine($"{args[0]}: {kills} kills");
        Assert.That(kills, Is.GreaterThan(0), "a run was killed at work");
    }

    /// <summary>The names of what the killed runs left in the folder of temporary files.</summary>
    public string[] Left() => Directory.GetDirectories(_temporary, "ml-distillation-*");

    public void Dispose() => _folder.Dispose();
}
