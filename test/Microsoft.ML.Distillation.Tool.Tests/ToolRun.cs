using Microsoft.ML.Distillation.Tool;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What a run of a program in this process gave.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs <c>ml-distill</c>.</summary>
    public static ToolRun Of(params string[] args) => Of(Application.Run, args);

    /// <summary>Runs a program.</summary>
    public static ToolRun Of(Func<string[], TextWriter, TextWriter, int> run, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exitCode = run(args, output, error);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Runs <c>ml-distill</c> and expects success.</summary>
    public static ToolRun Succeeding(params string[] args) => Of(args).Expected();

    /// <summary>The run, which must have gone well.</summary>
    public ToolRun Expected()
    {
        Assert.That(ExitCode, Is.Zero, Error);
        return this;
    }
}
