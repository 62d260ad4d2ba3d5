using Microsoft.ML.Distillation.Tool.Display;

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

    /// <summary>Whether what is wrong with annotations, and images that do not exist, are left out with a warning; else they are
    /// errors.</summary>
    public bool SkipsInvalid { get; init; }

    /// <summary>Says how it is read, before it is.</summary>
    public Action Announce { get; init; } = () => { };

    /// <summary>Where it is said how far long reading is.</summary>
    public TextWriter Notes { get; init; } = TextWriter.Null;

    /// <summary>What it is read with; what is to be said of the data goes to its log.</summary>
    public MLContext Context { get; init; } = new();

    /// <summary>How many pixels an image may have.</summary>
    public long MaxPixels { get; init; } = ImageLoader.DefaultMaxPixels;

    /// <summary>The name that stands for all images.</summary>
    public const string All = "all";

    /// <summary>The parts that data sets usually have.</summary>
    public static string[] UsualSplits { get; } = ["train", "val", "test"];

    /// <summary>Whether the data set has a part of that name.</summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public bool Has(string split) => Context.Data.HasDetectionSplit(Path, Format, split, ImageFolder, NamesFile);

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

    /// <summary>The classes that a part lists, in the order of their names, whether or not they occur; null where it has no list.</summary>
    public IReadOnlyList<string>? ListedClasses(string? split)
        => Context.Data.ListedDetectionClasses(Path, Format, split, ImageFolder, NamesFile)?.Order(StringComparer.Ordinal).ToArray();

    /// <summary>The annotated images of a part, or of all. Most formats parse a file when its turn comes.</summary>
    public IDataView View(string? split)
    {
        Announce();
        return Context.Data.LoadDetections(
            Path, Format, split, ImageFolder, NamesFile, AllowMissingImages || SkipsInvalid,
            SkipsInvalid ? InvalidSampleHandling.Skip : InvalidSampleHandling.Error);
    }

    /// <summary>The same as rows.</summary>
    public IReadOnlyList<AnnotatedRow> Load(string? split)
        => [.. WorkProgress.Over(Context.Data.CreateEnumerable<AnnotatedRow>(View(split), reuseRowObject: false), null,
            "annotations", "images read", Notes)];
}
