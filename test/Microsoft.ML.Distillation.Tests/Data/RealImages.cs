using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>Real photographs, without their objects.</summary>
internal sealed class RealImages : IDetectionDataset
{
    private readonly RgbImage[] _images;

    private RealImages(IEnumerable<string> paths)
        => _images = [.. paths.Select(path =>
        {
            using MLImage image = MLImage.CreateFromFile(path);
            return MLImagePixels.ToRgb(image);
        })];

    public int Count => _images.Length;

    public IReadOnlyList<string> ClassNames => ["a", "b", "c"];

    /// <summary>The first images of bccd; skips the test where it is not there.</summary>
    public static IDetectionDataset Bccd(int count)
        => new RealImages(Directory.GetFiles(Path.Combine(TestData.Folder("bccd"), "JPEGImages")).Order(StringComparer.Ordinal)
            .Take(count));

    public ImageSize SizeOf(int index) => new(_images[index].Width, _images[index].Height);

    public Annotation AnnotationOf(int index) => Annotation.Empty;

    public RgbImage? TryRead(int index) => _images[index];

    public void Dispose()
    {
    }
}
