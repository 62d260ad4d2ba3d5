namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A data set on disk: where it is, and how it is laid out.</summary>
/// <param name="Path">The folder, or for formats with one file its path.</param>
/// <param name="Format">The layout.</param>
/// <param name="ImageFolder">Where the images are, if not where the format has them.</param>
/// <param name="NamesFile">The file that names the classes, if not where the format has it.</param>
internal sealed record DataFolder(
    string Path, DetectionFormat Format = DetectionFormat.PascalVoc, string? ImageFolder = null, string? NamesFile = null)
{
    /// <summary>Whether images that do not exist are read too: for training that leaves out what it cannot use, and for what needs no
    /// pixels.</summary>
    public bool AllowMissingImages { get; init; }

    /// <summary>The name that stands for all images.</summary>
    public const string All = "all";

    /// <summary>The parts that data sets usually have.</summary>
    public static string[] UsualSplits { get; } = ["train", "val", "test"];

    /// <summary>Whether the data set has a part of that name.</summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public bool Has(string split) => new MLContext().Data.HasDetectionSplit(Path, Format, split, ImageFolder, NamesFile);

    /// <summary>
    /// The part that was asked for, or null for all; where none was, the first of the usual names that exists, else all.
    /// </summary>
    public string? Choose(string? asked, params ReadOnlySpan<string> usual)
    {
        if (asked is not null) return asked == All ? null : asked;
        foreach (string name in usual)
        {
            if (Has(name)) return name;
        }

        return null;
    }

    /// <summary>The annotated images of a part, or of all. Most formats parse a file when its turn comes.</summary>
    public IDataView View(MLContext context, string? split)
        => context.Data.LoadDetections(Path, Format, split, ImageFolder, NamesFile, AllowMissingImages);

    /// <summary>The same as rows.</summary>
    public IReadOnlyList<AnnotatedRow> Load(MLContext context, string? split)
        => [.. context.Data.CreateEnumerable<AnnotatedRow>(View(context, split), reuseRowObject: false)];
}
