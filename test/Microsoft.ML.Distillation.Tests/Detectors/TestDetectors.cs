using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

/// <summary>Small detectors and images for tests.</summary>
internal static class TestDetectors
{
    /// <summary>Data whose boxes are 12, 30 and 58 pixels at 192×144.</summary>
    public static readonly DataStatistics Statistics = new(
        100, 6, 4f / 3,
        [12 / 192f, 12 / 192f, 30 / 192f, 30 / 192f, 58 / 192f, 58 / 192f],
        [12 / 144f, 12 / 144f, 30 / 144f, 30 / 144f, 58 / 144f, 58 / 144f],
        ["a", "b", "c"]);

    /// <summary>A detector of a backbone for <see cref="Statistics"/>, in evaluation mode.</summary>
    public static FasterRcnn Build(Backbone backbone, int inputSize = 96, FasterRcnnOptions? options = null)
        => Build(DetectorPlan.FasterRcnn(backbone, inputSize, options));

    /// <summary>A planned detector for <see cref="Statistics"/>, in evaluation mode.</summary>
    public static FasterRcnn Build(DetectorPlan plan)
    {
        random.manual_seed(1);
        var detector = (FasterRcnn)plan.Build(Statistics, StartingWeights.Of(plan.Network));
        detector.eval();
        return detector;
    }

    /// <summary>Images of smooth noise for a detector, float [count,3,H,W].</summary>
    public static Tensor Images(Detector detector, int count, int seed = 2)
    {
        random.manual_seed(seed);
        using Tensor coarse = rand(count, 3, 6, 8);
        return nn.functional.interpolate(coarse, [detector.InputSize.Height, detector.InputSize.Width], mode: InterpolationMode.Bilinear,
            align_corners: false);
    }

    /// <summary>Gives batch normalisation the statistics of images, and the predictors weights that make a fresh network's answers
    /// varied.</summary>
    public static void Shake(FasterRcnn detector)
    {
        using IDisposable noGradients = no_grad();
        detector.train();
        for (int seed = 10; seed < 30; seed++)
        {
            using DisposeScope scope = NewDisposeScope();
            detector.Features(Images(detector, 4, seed));
        }

        detector.eval();
        random.manual_seed(3);
        foreach ((string name, Tensor value) in detector.state_dict())
        {
            using DisposeScope scope = NewDisposeScope();
            if (name.EndsWith("bbox_pred.weight", StringComparison.Ordinal)) value.normal_(0, 0.05);
            else if (name.Contains("cls_", StringComparison.Ordinal)) value.normal_(0, 0.3);
        }
    }
}
