using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// How a column of images says that its images stand upright and are whole, as this library's own loader reads them, and which files they
/// are read from: who needs the images one after another in another order reads the files, when they are due.
/// </summary>
/// <param name="PathColumn">The column of paths.</param>
/// <param name="Folder">The folder to which they are relative; empty for none.</param>
/// <param name="MaxPixels">How many pixels an image may have.</param>
internal sealed record UprightColumn(string PathColumn, string Folder, long MaxPixels)
{
    private const string Kind = "ML.Distillation.Upright";
    private const string PathKind = Kind + ".Path", FolderKind = Kind + ".Folder", MaxPixelsKind = Kind + ".MaxPixels";

    /// <summary>The reading of files whose full paths are known.</summary>
    public static readonly UprightColumn OfFullPaths = new("", "", ImageFile.DefaultMaxPixels);

    /// <summary>Whether a column says so.</summary>
    public static bool Is(DataViewSchema.Column column) => column.Annotations.Schema.GetColumnOrNull(Kind) is not null;

    /// <summary>
    /// The loader and the column of paths behind a column of images; null where the images are of another origin, or the paths are no
    /// longer among the columns.
    /// </summary>
    public static (UprightColumn Loader, DataViewSchema.Column Paths)? SourceOf(DataViewSchema schema, DataViewSchema.Column images)
    {
        DataViewSchema.Annotations notes = images.Annotations;
        if (!Is(images) || notes.Schema.GetColumnOrNull(PathKind) is null) return null;
        long maxPixels = 0;
        notes.GetValue(MaxPixelsKind, ref maxPixels);
        var loader = new UprightColumn(Text(PathKind), Text(FolderKind), maxPixels);
        // Of two columns of this name, one of which hides the other, nobody knows by which the images were read.
        DataViewSchema.Column[] named = [.. schema.Where(column => column.Name == loader.PathColumn)];
        return named is [{ Type: TextDataViewType } paths] ? (loader, paths) : null;

        string Text(string kind)
        {
            ReadOnlyMemory<char> text = default;
            notes.GetValue(kind, ref text);
            return text.ToString();
        }
    }

    /// <summary>Makes a column say so.</summary>
    public void Annotate(SchemaDefinition.Column column)
    {
        column.AddAnnotation(Kind, true, BooleanDataViewType.Instance);
        column.AddAnnotation(PathKind, PathColumn.AsMemory(), TextDataViewType.Instance);
        column.AddAnnotation(FolderKind, Folder.AsMemory(), TextDataViewType.Instance);
        column.AddAnnotation(MaxPixelsKind, MaxPixels, NumberDataViewType.Int64);
    }

    /// <summary>The file of a path.</summary>
    public string FileOf(string path) => Path.Combine(Folder, path);
}
