namespace Microsoft.ML.Distillation.Tests;

/// <summary>The files of expected values, which the scripts in the folder Golden make with PyTorch.</summary>
internal static class Golden
{
    public static string Path(string folder, string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", folder, name);
}
