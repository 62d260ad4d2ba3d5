using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// The usual standardisation of images (mean and standard deviation of ImageNet's pixels, values 0 to 1), written as
/// value × scale + shift.
/// </summary>
internal static class PixelNormalisation
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];

    /// <summary>For red, green and blue.</summary>
    public static float[] Scale { get; } = Array.ConvertAll(Deviation, d => 1 / d);

    /// <summary>For red, green and blue.</summary>
    public static float[] Shift { get; } = [.. Mean.Zip(Deviation, (m, d) => -m / d)];

    /// <summary>Writes it into an ONNX graph, for an image [1,3,H,W], 0 to 1.</summary>
    public static string Write(GraphBuilder graph, string images)
    {
        string scaled = graph.Add("Mul", [images, graph.Floats(Scale, 1, 3, 1, 1)]);
        return graph.Add("Add", [scaled, graph.Floats(Shift, 1, 3, 1, 1)]);
    }
}
