using System.Globalization;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>An id in a COCO file: a whole number by the book, a text in the files of some tools.</summary>
internal readonly record struct CocoId(long Number, string? Text = null)
{
    public override string ToString() => Text is null ? Number.ToString(CultureInfo.InvariantCulture) : AnnotationError.Quote(Text);
}
