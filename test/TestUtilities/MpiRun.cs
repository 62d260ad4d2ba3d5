using System.Diagnostics;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Starts programs of this repository as the processes of an MPI job.</summary>
internal sealed class MpiRun : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private MpiRun(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        // Tests share the machine: processes that wait for each other must not hold on to it meanwhile.
        (start.Environment["OMP_NUM_THREADS"], start.Environment["OMP_WAIT_POLICY"]) = ("1", "PASSIVE");
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts a program in some processes.</summary>
    /// <param name="launcher"><c>mpirun.openmpi</c> or <c>mpirun.mpich</c>, as Debian calls them. Without it the test is ignored.</param>
    public static MpiRun Start(string launcher, int processes, string dll, params IEnumerable<string> args)
    {
        string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, launcher)).FirstOrDefault(File.Exists);
        if (path is null) Assert.Ignore($"There is no {launcher} here (Debian: {(launcher.EndsWith("mpich", StringComparison.Ordinal)
            ? "mpich" : "openmpi-bin")}).");
        // As root, as in containers, and with more processes than processors Open MPI wants to be asked for it.
        string[] allow = launcher.EndsWith("openmpi", StringComparison.Ordinal) ? ["--allow-run-as-root", "--oversubscribe"] : [];
        return new MpiRun(new ProcessStartInfo(path!, [.. allow, "-n", $"{processes}", "dotnet", dll, .. args]));
    }

    /// <summary>Waits for the end.</summary>
    /// <param name="limit">How long; a job that takes longer fails the test.</param>
    public ProgramRun End(TimeSpan? limit = null)
    {
        if (!_process.WaitForExit(limit ?? TimeSpan.FromMinutes(5)))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"The job did not end. {_output.Result}{_error.Result}");
        }

        return new ProgramRun(_process.ExitCode, _output.Result, _error.Result);
    }

    /// <summary>Waits for the end, which must be a good one.</summary>
    public ProgramRun EndWell()
    {
        ProgramRun run = End();
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        return run;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
