namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>The boxes of one class over all images, in the images' order.</summary>
internal sealed class ClassGroup
{
    private int _lastImage = -1;

    /// <summary>The annotated objects.</summary>
    public List<TrueBox> Truth { get; } = [];

    /// <summary>The detections.</summary>
    public List<DetectedBox> Detections { get; } = [];

    /// <summary>The images that hold any: where their objects and detections begin in the two lists.</summary>
    public List<(int FirstTruth, int FirstDetection)> Images { get; } = [];

    /// <summary>The ranges of the two lists that belong to one of <see cref="Images"/>.</summary>
    public (Range Truth, Range Detections) RangesOf(int image)
    {
        (int truth, int detection) = Images[image];
        (int truthEnd, int detectionEnd) = image + 1 < Images.Count ? Images[image + 1] : (Truth.Count, Detections.Count);
        return (truth..truthEnd, detection..detectionEnd);
    }

    /// <summary>Sorts the boxes of all images into their classes.</summary>
    /// <remarks>A detection of a class outside the list is left out: there is nothing to hold it against.</remarks>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static ClassGroup[] Of(IReadOnlyList<EvaluationImage> images, int classes)
    {
        EvaluationImage.CheckLabels(images, classes);
        var groups = new ClassGroup[classes];
        for (int c = 0; c < classes; c++) groups[c] = new ClassGroup();
        for (int i = 0; i < images.Count; i++)
        {
            foreach (ref readonly TrueBox box in images[i].Truth.AsSpan())
            {
                ReadOnlySpan<ClassGroup> concerned = box.Label == TrueBox.EveryClass ? groups : groups.AsSpan(box.Label, 1);
                foreach (ClassGroup group in concerned) group.At(i).Truth.Add(box);
            }

            foreach (ref readonly DetectedBox box in images[i].Detections.AsSpan())
            {
                if ((uint)box.Label < (uint)classes) groups[box.Label].At(i).Detections.Add(box);
            }
        }

        return groups;
    }

    private ClassGroup At(int image)
    {
        if (image != _lastImage) Images.Add((Truth.Count, Detections.Count));
        _lastImage = image;
        return this;
    }
}
