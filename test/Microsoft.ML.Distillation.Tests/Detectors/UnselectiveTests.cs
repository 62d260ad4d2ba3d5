using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tests.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class UnselectiveTests
{
    [Test]
    public void WhatADetectorChooses_IsAmongWhatItOffers([Values] bool oneStage, [Values] bool fewBits)
    {
        using Detector detector = oneStage
            ? OneStageRun.Detector(options: new OneStageOptions { Channels = 24, Strides = [8, 16], ScoreThreshold = 0.005f })
            : TinyRun.Detector();
        if (fewBits) detector.LowerPrecision(LowPrecision.W4A8);
        using var scope = NewDisposeScope();
        detector.eval();
        Tensor images = rand(1, 3, detector.InputSize.Height, detector.InputSize.Width);
        if (fewBits) detector.Detect(images);
        using Detector unselective = detector.Unselective();
        Detections chosen = detector.Detect(images)[0], offered = unselective.Detect(images)[0];
        Assert.That(chosen.Count, Is.GreaterThan(0));
        Assert.That(offered.Count, Is.GreaterThan(chosen.Count));
        var agreement = new ExportAgreement();
        agreement.Add(chosen, chosen);
        agreement.AddOffered(chosen, offered);
        Assert.That((agreement.Foreign, agreement.DiffersInChoiceAlone), Is.EqualTo((0.0, true)));
    }
}
