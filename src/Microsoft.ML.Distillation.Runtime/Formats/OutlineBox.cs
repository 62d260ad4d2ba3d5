namespace Microsoft.ML.Distillation.Formats;

/// <summary>The box around an outline or mask, in the unit of its points.</summary>
internal sealed class OutlineBox
{
    private double _x0 = double.PositiveInfinity, _y0 = double.PositiveInfinity;
    private double _x1 = double.NegativeInfinity, _y1 = double.NegativeInfinity;

    /// <summary>Whether there is nothing in it.</summary>
    public bool IsEmpty => _x1 < _x0;

    /// <summary>Left and upper edge, width and height.</summary>
    public CocoBox Box => new(_x0, _y0, _x1 - _x0, _y1 - _y0);

    /// <summary>Takes a point.</summary>
    public void Add(double x, double y)
    {
        (_x0, _x1) = (Math.Min(_x0, x), Math.Max(_x1, x));
        (_y0, _y1) = (Math.Min(_y0, y), Math.Max(_y1, y));
    }

    /// <summary>Takes the runs of a mask in COCO's way: column after column, from background on in turn.</summary>
    /// <returns>What is wrong with them, or null.</returns>
    public string? AddRuns(IEnumerable<long> runs, int height, int width)
    {
        long at = 0, all = (long)height * width;
        bool isObject = false;
        foreach (long run in runs)
        {
            if (run < 0 || run > all - at) return "the runs of its mask are not those of an image of its size";
            if (isObject && run > 0) AddRun(at, at + run - 1, height);
            at += run;
            isObject = !isObject;
        }

        return at == all ? null : "the runs of its mask do not fill the image";
    }

    /// <summary>The box as an object without a label, its points in shares of a size; null where there is none.</summary>
    public AnnotatedObject? ToObject(double width = 1, double height = 1) => IsEmpty
        ? null
        : new AnnotatedObject("", (float)(_x0 * width), (float)(_y0 * height), (float)(_x1 * width), (float)(_y1 * height))
        {
            OfOutline = true,
        };

    private void AddRun(long first, long last, int height)
    {
        (long x0, long y0) = Math.DivRem(first, height);
        (long x1, long y1) = Math.DivRem(last, height);
        // A run over the end of a column fills it to its end and the next from its beginning.
        (long top, long bottom) = x0 == x1 ? (y0, y1) : (0, height - 1);
        Add(x0, top);
        Add(x1 + 1, bottom + 1);
    }
}

/// <summary>Reads the runs of a mask from COCO's compressed text: five bits a character, differences to the run before the last.</summary>
internal static class MaskText
{
    /// <summary>The runs, or null where it is no such text.</summary>
    public static List<long>? Runs(string text)
    {
        var runs = new List<long>();
        for (int at = 0; at < text.Length;)
        {
            long value = 0;
            int shift = 0, bits;
            do
            {
                if (at == text.Length || shift > 50) return null;
                bits = text[at++] - '0';
                if (bits is < 0 or > 63) return null;
                value |= (long)(bits & 0x1F) << shift;
                shift += 5;
            }
            while ((bits & 0x20) != 0);

            if ((bits & 0x10) != 0) value |= -1L << shift;
            if (runs.Count > 2) value += runs[^2];
            runs.Add(value);
        }

        return runs;
    }
}
