namespace Microsoft.ML.Distillation.Data;

/// <summary>How one image is varied in one epoch; the same for every view of it.</summary>
internal readonly record struct Augmentation(ImageGeometry Geometry, ColorFactors Colors)
{
    private const int CropAttempts = 10;

    /// <summary>The image as it is.</summary>
    public static readonly Augmentation Identity = new(ImageGeometry.Identity, ColorFactors.Identity);

    /// <summary>Draws a variation.</summary>
    /// <param name="annotation">The image's objects: a crop shows the centre of at least one of them, if there is any.</param>
    public static Augmentation Draw(AugmentationOptions options, Annotation annotation, Random random)
    {
        // Every number is drawn whatever the options, so that switching one variation off leaves the others as they are.
        bool mirror = random.Next(2) == 1;
        float brightness = Factor(random, options.ColorJitter);
        float contrast = Factor(random, options.ColorJitter);
        float saturation = Factor(random, options.ColorJitter);
        float zoom = Factor(random, options.ScaleJitter);
        ImageGeometry geometry = zoom == 1 ? ImageGeometry.Identity : DrawRegion(1 / zoom, annotation, random);
        return new Augmentation(geometry with { Mirror = options.HorizontalFlip && mirror }, new ColorFactors(brightness, contrast, saturation));
    }

    private static ImageGeometry DrawRegion(float extent, Annotation annotation, Random random)
    {
        for (int attempt = 0; attempt < CropAttempts; attempt++)
        {
            // Either sign: a small region lies inside the image, a large one contains it.
            float x = random.NextSingle() * (1 - extent);
            float y = random.NextSingle() * (1 - extent);
            var region = new ImageGeometry(x, y, extent, extent, false);
            if (annotation.Count == 0 || ShowsAny(region, annotation)) return region;
        }

        return ImageGeometry.Identity;
    }

    private static bool ShowsAny(ImageGeometry region, Annotation annotation)
    {
        for (int i = 0; i < annotation.Count; i++)
        {
            if (region.Shows(annotation.Boxes.AsSpan(4 * i, 4))) return true;
        }

        return false;
    }

    private static float Factor(Random random, float range) => 1 + range * (2 * random.NextSingle() - 1);
}
