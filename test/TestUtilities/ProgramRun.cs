using System.Diagnostics;
using System.Text;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Runs a program of this repository in a process of its own.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    /// <summary>The configuration that the tests were built in.</summary>
    public static string Configuration { get; } = AppContext.BaseDirectory
        .Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}") ? "Release" : "Debug";

    /// <summary>The built program of a project below <c>src</c>, or another folder of the repository, in this build's
    /// configuration.</summary>
    /// <param name="name">What the program is called, if not as its project.</param>
    public static string Find(string project, string below = "src", string? name = null)
    {
        string bin = Path.Combine(TestData.Repository(), below, project, "bin", Configuration);
        return Directory.EnumerateFiles(bin, (name ?? Path.GetFileName(project)) + ".runtimeconfig.json", SearchOption.AllDirectories)
            .OrderByDescending(File.GetLastWriteTimeUtc).First().Replace(".runtimeconfig.json", ".dll");
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="onOutput">Is shown each line of output as it comes, with the process.</param>
    public static ProgramRun Of(string dll, string folder, IEnumerable<string> args, Action<Process, string>? onOutput = null)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", [dll, .. args])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        StringBuilder output = new(), error = new();
        process.OutputDataReceived += (_, line) => Take(output, line.Data, onOutput);
        process.ErrorDataReceived += (_, line) => Take(error, line.Data, null);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{Path.GetFileName(dll)} did not end. {output}{error}");
        }

        process.WaitForExit();
        return new ProgramRun(process.ExitCode, output.ToString(), error.ToString());

        void Take(StringBuilder text, string? line, Action<Process, string>? show)
        {
            if (line is null) return;
            text.AppendLine(line);
            show?.Invoke(process, line);
        }
    }
}
