namespace Microsoft.ML.Distillation.Rows;

/// <summary>How a column of images says that its images stand upright and are whole, as this library's own loader reads them.</summary>
internal static class UprightColumn
{
    /// <summary>The kind of the column's annotation, a Boolean.</summary>
    public const string Kind = "ML.Distillation.Upright";

    /// <summary>Whether a column says so.</summary>
    public static bool Is(DataViewSchema.Column column) => column.Annotations.Schema.GetColumnOrNull(Kind) is not null;
}
