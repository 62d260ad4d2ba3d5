using Microsoft.ML.Distillation.Detectors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.OneStage;

/// <summary>Small one-stage detectors for tests.</summary>
internal static class OneStageDetectors
{
    /// <summary>A detector of a backbone for <see cref="TestDetectors.Statistics"/>, in evaluation mode.</summary>
    public static OneStageDetector Build(Backbone backbone, int inputSize = 96, OneStageOptions? options = null)
        => Build(DetectorPlan.OneStage(backbone, inputSize, options));

    /// <summary>A planned detector for <see cref="TestDetectors.Statistics"/>, in evaluation mode.</summary>
    public static OneStageDetector Build(DetectorPlan plan)
    {
        random.manual_seed(1);
        var detector = (OneStageDetector)plan.Build(TestDetectors.Statistics);
        detector.eval();
        return detector;
    }

    /// <summary>Gives batch normalisation the statistics of images, and the predictors weights that make a fresh network's answers
    /// varied.</summary>
    public static void Shake(OneStageDetector detector)
    {
        using IDisposable noGradients = no_grad();
        detector.train();
        for (int seed = 10; seed < 30; seed++)
        {
            using DisposeScope scope = NewDisposeScope();
            detector.Answer(detector.Features(TestDetectors.Images(detector, 4, seed)));
        }

        detector.eval();
        random.manual_seed(3);
        foreach ((string name, Tensor value) in detector.state_dict())
        {
            using DisposeScope scope = NewDisposeScope();
            if (name is "head.edges.weight" or "head.classes.weight") value.normal_(0, 0.4);
            else if (name == "head.classes.bias") value.fill_(-1.5f);
        }
    }
}
