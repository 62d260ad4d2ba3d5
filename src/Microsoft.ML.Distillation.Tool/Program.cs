namespace Microsoft.ML.Distillation.Tool;

/// <summary>The command <c>ml-distill</c>.</summary>
internal static class Program
{
    private static int Main(string[] args) => CommandLine.Run(args, Console.Out, Console.Error);
}
