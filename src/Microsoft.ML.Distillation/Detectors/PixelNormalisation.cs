using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// The usual standardisation of images (mean and standard deviation of ImageNet's pixels, values 0 to 1), written as
/// value × scale + shift.
/// </summary>
internal sealed class PixelNormalisation : nn.Module
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];

    private readonly Constant _scale = new(tensor(Scale, [1, 3, 1, 1]));
    private readonly Constant _shift = new(tensor(Shift, [1, 3, 1, 1]));

    public PixelNormalisation()
        : base(nameof(PixelNormalisation)) => RegisterComponents();

    /// <summary>For red, green and blue.</summary>
    public static float[] Scale { get; } = Array.ConvertAll(Deviation, d => 1 / d);

    /// <summary>For red, green and blue.</summary>
    public static float[] Shift { get; } = [.. Mean.Zip(Deviation, (m, d) => -m / d)];

    /// <summary>The standardised images [N,3,H,W], of the same element type, in the order in memory that convolutions run in.</summary>
    /// <param name="images">[N,3,H,W], 0 to 1.</param>
    public Tensor Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        return ChannelsLast.Of(images).mul(_scale.On(images.device)).PlusInPlace(_shift.On(images.device)).As(images).MoveToOuterDisposeScope();
    }

    /// <summary>Writes it into an ONNX graph, for an image [1,3,H,W], 0 to 1.</summary>
    public static string Write(GraphBuilder graph, string images)
    {
        string scaled = graph.Add("Mul", [images, graph.Floats(Scale, 1, 3, 1, 1)]);
        return graph.Add("Add", [scaled, graph.Floats(Shift, 1, 3, 1, 1)]);
    }
}
