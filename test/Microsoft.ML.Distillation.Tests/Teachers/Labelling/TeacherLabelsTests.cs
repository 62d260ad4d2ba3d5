using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;
using Microsoft.ML.Distillation.Tests.Data;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Labelling;

public class TeacherLabelsTests
{
    [Test]
    public void Threshold_GivesAsManyInstances_AsTheLabelledImagesHave()
    {
        var histogram = new ScoreHistogram(2);
        foreach (float score in new[] { 0.9f, 0.8f, 0.5f, 0.25f }) histogram.Add(0, score);
        foreach (float score in new[] { 0.75f, 0.125f }) histogram.Add(1, score);
        Assert.That(Kept(histogram.Thresholds([2.0, 1.0], perClass: false)), Is.EqualTo((2, 1)), "the three best of all");
        Assert.That(Kept(histogram.Thresholds([1.0, 2.0], perClass: false)), Is.EqualTo((2, 1)), "overall only the sum counts");
        Assert.That(Kept(histogram.Thresholds([1.0, 2.0], perClass: true)), Is.EqualTo((1, 2)));
        Assert.That(histogram.Thresholds([4, 2], perClass: false), Has.All.EqualTo(0.125f), "an exact step is its own threshold");
        Assert.That(histogram.Thresholds([40, 0], perClass: true), Is.EqualTo(new[] { 0, float.PositiveInfinity }));

        static (int, int) Kept(float[] thresholds) => (
            new[] { 0.9f, 0.8f, 0.5f, 0.25f }.Count(score => score >= thresholds[0]),
            new[] { 0.75f, 0.125f }.Count(score => score >= thresholds[1]));
    }

    [Test]
    public void SureDetections_BecomeLabels_AndImagesWithoutAreLeftOut()
    {
        // 9 labelled images with 9 objects: one an image, so 4 images want 4 labels.
        using SampleStore labelled = DrawnStore.Of(9), unlabelled = DrawnStore.Of(4);
        using var teacher = new Lists(
            [0.9f, 0.3f], [0.2f], [0.8f, 0.7f, 0.1f], [0.6f]);
        using RelabelledDataset labels = TeacherLabels
            .Of(teacher, unlabelled, labelled, new GeneratedLabelOptions(), 3, 1, default, out LabelThresholds thresholds);
        Assert.That(thresholds.Shortage, Is.Null);
        Assert.That(thresholds.Scores, Has.All.EqualTo(0.6f).Within(1e-4));
        Assert.That(labels.Count, Is.EqualTo(3));
        Assert.That(Enumerable.Range(0, 3).Select(i => labels.AnnotationOf(i).Count), Is.EqualTo(new[] { 1, 2, 1 }));
        Assert.That(labels.SizeOf(1), Is.EqualTo(unlabelled.SizeOf(2)));
        Assert.That(labels.AnnotationOf(1).Boxes, Is.EqualTo(new[] { 0, 0, 0.5f, 0.5f, 0.1f, 0, 0.6f, 0.5f }));

        using RelabelledDataset asked = TeacherLabels
            .Of(teacher, unlabelled, labelled, new GeneratedLabelOptions { ScoreThreshold = 0.15 }, 1, 1, default, out _);
        Assert.That(asked.Count, Is.EqualTo(4));
    }

    /// <summary>A teacher who finds given scores in the images, in their order; all of class 0.</summary>
    private sealed class Lists(params float[][] scores) : ITeacher
    {
        private int _next;

        public ImageSize InputSize => new(8, 8);

        public TeacherAbilities Abilities => ShownImages.PlainAbilities;

        public ITeacherView View(DetectionBatch batch) => throw new NotSupportedException();

        public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
            => [.. sizes.Select(_ => scores[_next++ % scores.Length]).Select(found => new Detections(
                [.. found.SelectMany((_, i) => new[] { 0.1f * i, 0, 0.5f + 0.1f * i, 0.5f })], found, new int[found.Length]))];

        public void Dispose()
        {
        }
    }
}
