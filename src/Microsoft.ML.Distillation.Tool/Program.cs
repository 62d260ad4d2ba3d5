namespace Microsoft.ML.Distillation.Tool;

/// <summary>The command <c>ml-distill</c>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        Globalization.Prepare();
        return Application.Run(args, Console.Out, Console.Error);
    }
}
