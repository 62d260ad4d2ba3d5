namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Which parts a data set in Pascal VOC's format has.</summary>
internal static class DataSplits
{
    /// <summary>The name that stands for all images.</summary>
    public const string All = "all";

    /// <summary>Whether the data set has a part of that name: a list in ImageSets/Main or a folder.</summary>
    public static bool Exists(string folder, string split)
        => File.Exists(Path.Combine(folder, "ImageSets", "Main", split + ".txt")) || Directory.Exists(Path.Combine(folder, split));

    /// <summary>
    /// The part that was asked for, as <c>LoadDetections</c> takes it; where none was, the first of the usual names that exists,
    /// else all.
    /// </summary>
    public static string? Choose(string folder, string? asked, params ReadOnlySpan<string> usual)
    {
        if (asked is not null) return asked == All ? null : asked;
        foreach (string name in usual)
        {
            if (Exists(folder, name)) return name;
        }

        return null;
    }
}
