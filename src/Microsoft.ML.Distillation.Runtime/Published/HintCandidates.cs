using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Published;

/// <summary>A tensor of a graph that can serve as a hint.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Channels">Its channels.</param>
/// <param name="Height">Its height in cells.</param>
/// <param name="Width">Its width in cells.</param>
/// <param name="Stride">How many pixels of the input a cell is wide.</param>
internal sealed record HintCandidate(string Name, int Channels, int Height, int Width, double Stride);

/// <summary>Finds the feature maps of a graph by running it once with all its tensors as outputs.</summary>
internal static class HintCandidates
{
    /// <summary>The feature maps [N,C,h,w] of a model, in its order.</summary>
    /// <param name="size">The size of image to run it on.</param>
    public static IReadOnlyList<HintCandidate> Of(string path, ImageSize size)
    {
        IReadOnlyList<string> tensors = GraphSurgery.Tensors(OnnxModelFile.LoadAll(path)[0].Model);
        using var runner = new OnnxRunner(path, tensors, new OnnxDetectorOptions());
        IReadOnlyList<OnnxOutput> maps = runner.Run(new float[3 * size.Width * size.Height], size)[0].Exposed;
        return [.. maps.Where(map => !map.IsInteger).Select(map => Candidate(map, size)).OfType<HintCandidate>()];
    }

    private static HintCandidate? Candidate(OnnxOutput map, ImageSize size)
    {
        if (map.Shape is not [int channels, int height, int width] || height < 2 || width < 2) return null;
        (double across, double down) = ((double)size.Width / width, (double)size.Height / height);
        // A map of the image keeps the image's proportions but for the rounding of cells.
        return Math.Abs(across / down - 1) < 0.2 ? new HintCandidate(map.Name, channels, height, width, across) : null;
    }
}
