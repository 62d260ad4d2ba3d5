namespace Microsoft.ML.Distillation.Research;

/// <summary><c>./build.sh paper</c>: the tables of Chen et al. 2017; <c>./build.sh accuracy</c>: what a teacher is worth. Not
/// shipped.</summary>
internal static class Program
{
    /// <summary>The first argument of <c>./build.sh accuracy</c>.</summary>
    private const string AccuracyVerb = "accuracy";

    private static int Main(string[] args)
    {
        if (args is not [AccuracyCommand.ToolVerb, .. var command]) return Run(args, Console.Out, Console.Error);
        Tool.Globalization.Prepare();
        return Tool.Application.Run(command, Console.Out, Console.Error);
    }

    /// <summary>Runs a command line.</summary>
    /// <inheritdoc cref="Tool.Application.Run(string, System.CommandLine.RootCommand, string[], TextWriter, TextWriter)"/>
    public static int Run(string[] args, TextWriter output, TextWriter error) => args is [AccuracyVerb, .. var rest]
        ? Tool.Application.Run(AccuracyVerb, new AccuracyCommand(), rest, output, error)
        : Tool.Application.Run("paper", new PaperCommand(), args, output, error);
}
