using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Makes the pictures of a report, small enough that the page stays small.</summary>
internal static class ReportPictures
{
    private const int LongestSide = 640;
    private const long MostBytes = 150_000;

    /// <summary>A file as it is where it is small and any browser shows it, else scaled down.</summary>
    public static ReportThumbnail FromFile(string path)
    {
        string? type = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => "image/jpeg",
            ".PNG" => "image/png",
            _ => null,
        };
        if (type is not null && new FileInfo(path).Length <= MostBytes) return new ReportThumbnail(type, File.ReadAllBytes(path));
        using MLImage image = MLImage.CreateFromFile(path);
        return FromPixels(MLImagePixels.ToRgb(image));
    }

    /// <summary>An image as JPEG, scaled down where it is large.</summary>
    public static ReportThumbnail FromPixels(RgbImage image)
    {
        double scale = Math.Min(1, (double)LongestSide / Math.Max(image.Width, image.Height));
        var size = new ImageSize(Math.Max(1, (int)(scale * image.Width)), Math.Max(1, (int)(scale * image.Height)));
        using var file = new TemporaryFile([], ".jpg");
        Thumbnails.Resize(image, size).Save(file.Path);
        return new ReportThumbnail("image/jpeg", File.ReadAllBytes(file.Path));
    }
}
