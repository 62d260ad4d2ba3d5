using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>A row of a data view for training, made in memory.</summary>
/// <param name="Image">The image; null where the row has none.</param>
/// <param name="Label">The objects' classes; null is no class (a missing key).</param>
internal sealed record IngestRow(RgbImage? Image, string?[] Label, float[] Boxes)
{
    /// <summary>The classes of <see cref="View"/>: all labels that stand in the rows, in the order of their appearance.</summary>
    public static IDataView View(MLContext mlContext, IEnumerable<IngestRow> rows)
    {
        IngestRow[] all = [.. rows];
        string[] names = [.. all.SelectMany(row => row.Label).OfType<string>().Distinct().DefaultIfEmpty("cat")];
        IDataView keys = mlContext.Data.LoadFromEnumerable(names.Select(name => new Name { Label = name }));
        IDataView view = mlContext.Data.LoadFromEnumerable(all.Select(ToRow));
        return mlContext.Transforms.Conversion.MapValueToKey("Label", keyData: keys).Fit(view).Transform(view);
    }

    private static Row ToRow(IngestRow row) => new()
    {
        Image = row.Image is { } image ? DrawnImages.ToMLImage(image) : null,
        Label = [.. row.Label.Select(label => label ?? "nothing known")],
        BoundingBoxes = row.Boxes,
    };

    private sealed class Row
    {
        // ML.NET wants a size here, and does not hold the images to it.
        [ImageType(10, 20)]
        public MLImage? Image { get; set; }

        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];
    }

    private sealed class Name
    {
        public string Label { get; set; } = "";
    }
}
