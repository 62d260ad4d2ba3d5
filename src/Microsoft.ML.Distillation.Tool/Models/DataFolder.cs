using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A data set on disk: where it is, and how it is laid out.</summary>
/// <param name="Path">The folder, or for formats with one file its path.</param>
/// <param name="Format">The layout.</param>
/// <param name="ImageFolder">Where the images are, if not where the format has them.</param>
/// <param name="NamesFile">The file that names the classes, if not where the format has it.</param>
internal sealed record DataFolder(
    string Path, DetectionFormat Format = DetectionFormat.PascalVoc, string? ImageFolder = null, string? NamesFile = null)
{
    /// <summary>Whether images that do not exist are read too: for training that leaves out what it cannot use, and for what needs no pixels.</summary>
    public bool AllowMissingImages { get; init; }

    /// <summary>Where readers find it.</summary>
    public AnnotationSource Source => new(Path, null, ImageFolder, NamesFile) { ToleratesBrokenImages = AllowMissingImages };

    /// <summary>Whether the data set has a part of that name.</summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public bool Has(string split) => AnnotationSplits.Exists(Format, Source with { Split = split });

    /// <summary>
    /// The part that was asked for, or null for all; where none was, the first of the usual names that exists, else all.
    /// </summary>
    public string? Choose(string? asked, params ReadOnlySpan<string> usual)
    {
        if (asked is not null) return asked == DataSplits.All ? null : asked;
        foreach (string name in usual)
        {
            if (Has(name)) return name;
        }

        return null;
    }

    /// <summary>The annotated images of a part, or of all. Most formats parse a file when its turn comes.</summary>
    public IEnumerable<Formats.AnnotatedImage> Read(string? split) => AnnotationReader.Read(Format, Source with { Split = split });

    /// <summary>The same as a data view.</summary>
    public IDataView View(MLContext context, string? split) => context.Data.LoadDetections(Path, Format, split, ImageFolder, NamesFile, AllowMissingImages);

    /// <summary>The same as rows.</summary>
    public IReadOnlyList<AnnotatedRow> Load(MLContext context, string? split)
        => [.. context.Data.CreateEnumerable<AnnotatedRow>(View(context, split), reuseRowObject: false)];
}
