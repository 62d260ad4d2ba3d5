using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class FasterRcnnTests
{
    [Test]
    public void DefaultStudent_HasTheSizeOfTheReference()
    {
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16, 24, 32), 192);
        Assert.That(student.InputSize, Is.EqualTo(new ImageSize(192, 144)));
        Assert.That(student.Anchors.shape, Is.EqualTo(new long[] { 1296, 4 }));
        Assert.That(student.parameters().Sum(p => p.NumberOfElements), Is.InRange(70_000, 80_000));
        Assert.That(student.Config.AnchorSizes, Is.EqualTo(new[] { new float[] { 12, 30, 58 } }));
    }

    [Test]
    public void TrainingStep_ReachesEveryParameter()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16, 24, 32));
        student.train();
        Tensor[] objects = [tensor([10f, 10, 30, 30, 40, 20, 60, 50], [2, 4]), zeros(0, 4)];
        Tensor[] labels = [tensor([0L, 2]), zeros(0, ScalarType.Int64)];

        IReadOnlyDictionary<string, Tensor> features = student.Features(TestDetectors.Images(student, 2));
        RpnOutput rpn = student.Rpn(features);
        RpnTargets anchors = student.SampleAnchors(objects);
        RoiTargets rois = student.SampleProposals(student.Propose(rpn, training: true), objects, labels);
        HeadOutput head = student.Head(features, rois.Boxes);

        Assert.That(head.ClassLogits.shape, Is.EqualTo(new[] { rois.Labels.shape[0], 4 }));
        Assert.That(head.Deltas.shape, Is.EqualTo(new[] { rois.Labels.shape[0], 1, 4 }));
        Tensor loss = rpn.Objectness.index(anchors.ImageIndex, anchors.AnchorIndex).pow(2).sum() + rpn.Deltas.pow(2).sum()
            + head.ClassLogits.pow(2).sum() + head.Deltas.pow(2).sum();
        loss.backward();
        foreach ((string name, var parameter) in student.named_parameters())
            Assert.That(parameter.grad, Is.Not.Null, name);
    }

    [Test]
    public void Sampling_Repeats_ForASeed()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16));
        Tensor[] objects = [tensor([10f, 10, 30, 30], [1, 4])];
        long[][] draws = [.. new[] { 5, 5, 6 }.Select(seed =>
        {
            random.manual_seed(seed);
            return student.SampleAnchors(objects).AnchorIndex.data<long>().ToArray();
        })];
        Assert.That(draws[1], Is.EqualTo(draws[0]));
        Assert.That(draws[2], Is.Not.EqualTo(draws[0]));
    }

    [Test]
    public void SampleProposals_CountsBackgroundAsZero_AndClassesFromOne()
    {
        using DisposeScope scope = NewDisposeScope();
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16));
        Tensor proposals = tensor([10f, 10, 30, 30, 60, 40, 90, 70], [2, 4]);
        Tensor objects = tensor([11f, 10, 30, 30], [1, 4]);
        RoiTargets targets = student.SampleProposals([proposals], [objects], [tensor([2L])]);
        Assert.That(targets.Labels.data<long>().ToArray(), Is.EqualTo(new long[] { 3, 3, 0 }));
        Assert.That(targets.PositiveRows.data<long>().ToArray(), Is.EqualTo(new long[] { 0, 1 }));
        Assert.That(targets.DeltaTargets.shape, Is.EqualTo(new long[] { 2, 4 }));
        Assert.That(targets.DeltaTargets[1].abs().sum().item<float>(), Is.Zero);
    }

    [Test]
    public void Features_RejectImages_OfAnotherSize()
    {
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16));
        using Tensor images = zeros(1, 3, 64, 64);
        Assert.That(() => student.Features(images), Throws.ArgumentException.With.Message.Contains("[1,3,64,64]"));
    }

    [Test]
    public void Detect_AnswersInShares_BestFirst()
    {
        using FasterRcnn student = TestDetectors.Build(Backbone.Plain(8, 16, 24, 32));
        TestDetectors.Shake(student);
        using Tensor images = TestDetectors.Images(student, 2);
        IReadOnlyList<Detections> detections = student.Detect(images);
        Assert.That(detections, Has.Count.EqualTo(2));
        foreach (Detections found in detections)
        {
            Assert.That(found.Count, Is.InRange(1, 100));
            Assert.That(found.Scores, Is.Ordered.Descending);
            Assert.That(found.Boxes, Is.All.InRange(0f, 1f));
            Assert.That(found.Labels, Is.All.InRange(0, 2));
        }
    }

    [Test]
    public void Factory_Rebuilds_WhatADetectorDescribes()
    {
        using FasterRcnn student = TestDetectors.Build(Backbone.ResNet18 with { Stages = 2, FpnChannels = 16 });
        using var again = (FasterRcnn)DetectorFactory.FromDescription(student.Describe());
        Assert.That(again.Describe(), Is.EqualTo(student.Describe()));
        Assert.That(again.state_dict().Keys, Is.EqualTo(student.state_dict().Keys));
        Assert.That(() => DetectorFactory.FromDescription("{}"), Throws.TypeOf<FormatException>());
    }
}
