using Microsoft.ML.Distillation.Tool;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What a run of <c>ml-distill</c> in this process gave.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    public static ToolRun Of(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exitCode = Application.Run(args, output, error);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Runs and expects success.</summary>
    public static ToolRun Succeeding(params string[] args)
    {
        ToolRun run = Of(args);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return run;
    }
}
