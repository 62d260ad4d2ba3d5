namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>
/// Where the windows of a convolution or a pooling lie: kernel, strides, dilations and padding of each spatial axis, with what
/// <c>auto_pad</c> makes of the input's size.
/// </summary>
internal sealed record Windows(long[] Kernel, long[] Strides, long[] Dilations, long[] Begin, long[] End)
{
    /// <summary>Whether both ends of each axis are padded alike.</summary>
    public bool IsSymmetric => Begin.AsSpan().SequenceEqual(End);

    /// <summary>The number of windows along each spatial axis.</summary>
    /// <param name="size">The input's size.</param>
    public long[] Counts(ReadOnlySpan<long> size)
    {
        var counts = new long[Kernel.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            long reach = (Kernel[i] - 1) * Dilations[i] + 1, room = size[i] + Begin[i] + End[i] - reach;
            counts[i] = room >= 0 ? room / Strides[i] + 1 : throw new FormatException($"its kernel reaches over {reach} of {size[i]}.");
        }

        return counts;
    }

    /// <param name="kernel">The kernel's size, one number for each spatial axis.</param>
    /// <param name="size">The input's size, likewise.</param>
    public static Windows Of(GraphNode node, long[] kernel, ReadOnlySpan<long> size)
    {
        int axes = kernel.Length;
        long[] strides = node.Ints("strides") ?? Fill(axes, 1), dilations = node.Ints("dilations") ?? Fill(axes, 1);
        long[] begin = new long[axes], end = new long[axes];
        string auto = node.Text("auto_pad", "NOTSET");
        if (auto is "SAME_UPPER" or "SAME_LOWER")
        {
            for (int i = 0; i < axes; i++)
            {
                long reach = (kernel[i] - 1) * dilations[i] + 1;
                long total = Math.Max(0, ((size[i] + strides[i] - 1) / strides[i] - 1) * strides[i] + reach - size[i]);
                (begin[i], end[i]) = auto == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
            }
        }
        else if (auto != "VALID" && node.Ints("pads") is { } pads)
        {
            (begin, end) = (pads[..axes], pads[axes..]);
        }

        return new Windows(kernel, strides, dilations, begin, end);
    }

    /// <summary>The padding as libtorch's <c>pad</c> takes it, the last axis first.</summary>
    public static long[] ForPad(ReadOnlySpan<long> begin, ReadOnlySpan<long> end)
    {
        var pads = new long[2 * begin.Length];
        for (int i = 0; i < begin.Length; i++) (pads[^(2 * i + 2)], pads[^(2 * i + 1)]) = (begin[i], end[i]);
        return pads;
    }

    private static long[] Fill(int count, long value)
    {
        var values = new long[count];
        Array.Fill(values, value);
        return values;
    }
}
