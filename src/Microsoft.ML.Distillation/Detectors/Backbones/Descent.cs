namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// How far a network has come down from the image, layer by layer. Strides that would go beyond the largest wanted are dropped;
/// where that <paramref name="dilates"/>, the kernels behind them are spread by the same factor, so that filters that were learned
/// with the strides see the scale that they know (as torchvision's <c>replace_stride_with_dilation</c>).
/// </summary>
/// <param name="largest">The largest stride of a map.</param>
internal sealed class Descent(int largest, bool dilates)
{
    private int _dilation = 1;

    /// <summary>Pixels of the image for one cell.</summary>
    public int Stride { get; private set; } = 1;

    /// <summary>Goes through a layer.</summary>
    /// <param name="stride">The layer's own.</param>
    public DescentStep Step(int stride)
    {
        int before = _dilation;
        if (stride == 1 || Stride < largest)
        {
            Stride *= stride;
            return new DescentStep(stride, before, before);
        }

        if (dilates) _dilation *= stride;
        return new DescentStep(1, before, _dilation);
    }
}

/// <summary>What becomes of a layer.</summary>
/// <param name="Stride">Its stride; 1 where its own was dropped.</param>
/// <param name="Dilation">The distance in cells between its kernel's points.</param>
/// <param name="Following">That of layers behind it.</param>
internal readonly record struct DescentStep(int Stride, int Dilation, int Following);
