namespace Microsoft.ML.Distillation.Research;

/// <summary><c>./build.sh paper</c>: the tables of Chen et al. 2017. Not shipped.</summary>
internal static class Program
{
    private static int Main(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>Runs a command line.</summary>
    /// <inheritdoc cref="Tool.Application.Run(string, System.CommandLine.RootCommand, string[], TextWriter, TextWriter)"/>
    public static int Run(string[] args, TextWriter output, TextWriter error)
        => Tool.Application.Run("paper", new PaperCommand(), args, output, error);
}
