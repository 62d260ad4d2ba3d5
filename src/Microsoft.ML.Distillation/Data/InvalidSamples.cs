namespace Microsoft.ML.Distillation.Data;

/// <summary>Stops at what cannot be trained on, or counts it, as the user wants.</summary>
internal sealed class InvalidSamples(InvalidSampleHandling handling)
{
    private string? _first;

    /// <summary>Boxes left out.</summary>
    public int Boxes { get; private set; }

    /// <summary>Boxes cut off at the edge of their image.</summary>
    public int ClippedBoxes { get; private set; }

    /// <summary>Images left out.</summary>
    public int Images { get; private set; }

    /// <summary>Reads a part of a row; null where it cannot be used, so that its image is left out.</summary>
    /// <exception cref="InvalidDataException">Where invalid samples are errors.</exception>
    public T? Try<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            AddImage(exception.Message, exception.InnerException);
            return null;
        }
    }

    /// <summary>An image, with all its boxes, cannot be used.</summary>
    /// <exception cref="InvalidDataException">Where invalid samples are errors.</exception>
    public void AddImage(string problem, Exception? inner = null)
    {
        Note(problem, inner);
        Images++;
    }

    /// <summary>A box cannot be used.</summary>
    /// <exception cref="InvalidDataException">Where invalid samples are errors.</exception>
    public void AddBox(string problem)
    {
        Note(problem, null);
        Boxes++;
    }

    /// <summary>Only a part of a box can be used.</summary>
    /// <exception cref="InvalidDataException">Where invalid samples are errors.</exception>
    public void AddClippedBox(string problem)
    {
        Note(problem, null);
        ClippedBoxes++;
    }

    /// <summary>One line about all of it, or null where nothing was invalid.</summary>
    public string? Summary()
    {
        if (_first is null) return null;
        string[] parts =
        [
            .. Part(Images, "image left out", "images left out"),
            .. Part(Boxes, "box left out", "boxes left out"),
            .. Part(ClippedBoxes, "box cut off at the edge of its image", "boxes cut off at the edges of their images"),
        ];
        return $"Invalid samples: {string.Join(", ", parts)}. The first: {_first}";
    }

    private static IEnumerable<string> Part(int count, string one, string many)
        => count == 0 ? [] : [$"{count} {(count == 1 ? one : many)}"];

    private void Note(string problem, Exception? inner)
    {
        if (handling == InvalidSampleHandling.Error)
            throw new InvalidDataException($"{problem} Correct it, or set OnInvalidSample = Skip to go on without it.", inner);
        _first ??= problem;
    }
}
