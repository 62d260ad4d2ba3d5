using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Annotations in a tool's own format, which is not read: such a file is refused by its name, with what the tool exports in its place.
/// CVAT's xml resembles Pascal VOC, the json of Datumaro COCO.
/// </summary>
/// <param name="File">The file's path.</param>
/// <param name="Format">What the format is called.</param>
/// <param name="Advice">What to do, as the end of a sentence.</param>
internal sealed partial record ForeignAnnotations(string File, string Format, string Advice)
{
    private static readonly (string Ending, Func<string, bool> Is, string Format, string Advice)[] Known =
    [
        (".XML", IsCvat, "CVAT's own format (CVAT for images or video)",
            "export from CVAT as 'COCO 1.0', 'PASCAL VOC 1.1' or 'Ultralytics YOLO Detection 1.0'"),
        (".JSON", head => Has(head, "imagePath") && (Has(head, "imageData") || Has(head, "shapes")), "Labelme's format",
            "turn it into COCO (labelme's examples/instance_segmentation/labelme2coco.py) or YOLO (labelme2yolo)"),
        (".JSON", head => Has(head, "dm_format_version") || Has(head, "items") && Has(head, "categories") && !Has(head, "images"),
            "Datumaro's format", "export as COCO ('datum convert -f coco', or 'COCO 1.0' in CVAT)"),
        (".JSON", head => head.TrimStart('\uFEFF', ' ', '\r', '\n', '\t').StartsWith('[') && Has(head, "coordinates"), "CreateML's format",
            "export as COCO, Pascal VOC or YOLO"),
    ];

    /// <summary>What a file is, by its name and its first characters; <see langword="null"/>: none of these.</summary>
    public static ForeignAnnotations? Of(string file, string head)
    {
        string ending = Path.GetExtension(file).ToUpperInvariant();
        (_, Func<string, bool>? isOne, string format, string advice) = Array.Find(Known, one => one.Ending == ending && one.Is(head));
        return isOne is null ? null : new ForeignAnnotations(file, format, advice);
    }

    /// <summary>The error in words.</summary>
    public override string ToString() => $"'{File}' is in {Format}, which is not read: {Advice}.";

    private static bool IsCvat(string head) => Root().IsMatch(head);

    private static bool Has(string head, string member) => head.Contains($"\"{member}\"", StringComparison.Ordinal);

    [GeneratedRegex(@"<annotations[\s>]")]
    private static partial Regex Root();
}
