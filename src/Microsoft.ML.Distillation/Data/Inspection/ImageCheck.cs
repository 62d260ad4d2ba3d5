using System.Security.Cryptography;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data.Formats;

namespace Microsoft.ML.Distillation.Data.Inspection;

/// <summary>One image looked at: its true size, a hash of its file, and what is wrong with it and its objects.</summary>
/// <param name="Size">The size of the decoded image; null where it cannot be read.</param>
/// <param name="Hash">SHA-256 of the file; null where there is none.</param>
/// <param name="Defects">What is wrong.</param>
internal sealed record ImageCheck(ImageSize? Size, string? Hash, IReadOnlyList<DetectionDataDefect> Defects)
{
    /// <summary>Looks at an image and its objects.</summary>
    public static ImageCheck Of(AnnotatedImage image, string split)
    {
        var defects = new List<DetectionDataDefect>();
        (ImageSize? size, string? hash, string? problem) = Decode(image.ImagePath);
        string name = Path.GetFileName(image.ImagePath);
        if (problem is not null)
            Add(DetectionDefectKind.UnreadableImage, null, image.Unplaced > 0 ? $"{problem}, so its {image.Unplaced} objects, given in shares of it, are not counted" : problem);
        if (size is { } real && image.Size is { } given && real != given)
            Add(DetectionDefectKind.WrongImageSize, null, $"the annotation says {given} pixels, the image has {real}");

        var seen = new HashSet<(string, float, float, float, float)>();
        for (int i = 0; i < image.Objects.Count; i++)
        {
            AnnotatedObject item = image.Objects[i];
            if (item.Ignore) continue;
            float[] box = [item.X0, item.Y0, item.X1, item.Y1];
            string what = $"object {i}, {item.Label} {BoxCheck.Text(box)},";
            if (!seen.Add((item.Label, item.X0, item.Y0, item.X1, item.Y1))) Add(DetectionDefectKind.RepeatedBox, i, $"{what} stands there twice");
            if (item.X1 <= item.X0 || item.Y1 <= item.Y0) Add(DetectionDefectKind.ZeroAreaBox, i, $"{what} has no area");
            else if ((size ?? image.Size) is { } known && BoxCheck.Problem(box, known) is { } outside) Add(DetectionDefectKind.BoxOutside, i, $"{what} {outside}");
        }

        return new ImageCheck(size, hash, defects);

        void Add(DetectionDefectKind kind, int? item, string text) => defects.Add(new DetectionDataDefect(kind, split, image.ImagePath, item, $"{name}: {text}"));
    }

    private static (ImageSize? Size, string? Hash, string? Problem) Decode(string path)
    {
        if (!File.Exists(path)) return (null, null, "the image does not exist");
        byte[] content = File.ReadAllBytes(path);
        string hash = Convert.ToHexString(SHA256.HashData(content));
        try
        {
            using var stream = new MemoryStream(content);
            using MLImage image = MLImage.CreateFromStream(stream);
            string? problem = ImageEnd.IsMissing(content) ? ImageEnd.Problem : null;
            return (new ImageSize(image.Width, image.Height), hash, problem);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            return (null, hash, "this is no image that can be read");
        }
    }
}
