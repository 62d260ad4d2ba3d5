namespace Microsoft.ML.Distillation.Data;

/// <summary>Annotated images with random access. All members may be called from several threads at once.</summary>
internal interface IDetectionDataset : IDisposable
{
    /// <summary>The number of images.</summary>
    int Count { get; }

    /// <summary>The classes; a label is an index into this list.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>The size of an image in pixels.</summary>
    ImageSize SizeOf(int index);

    /// <summary>The objects of an image.</summary>
    Annotation AnnotationOf(int index);

    /// <summary>The pixels of an image.</summary>
    RgbImage Read(int index);
}
