using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Tests.Data;
using Microsoft.ML.Distillation.Tests.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class CachedOnnxTeacherTests
{
    private static readonly ImageSize StudentSize = new(16, 16);

    private static readonly float[] Box = [.1f, .2f, .4f, .6f];

    [Test]
    public void AnImage_IsLookedAtOnce_InAllEpochsAndRuns()
    {
        using var folder = new TemporaryFolder();
        using var graph = Graph();
        string path = graph.Save();
        using SampleStore store = DrawnStore.Of(5);
        for (int run = 0; run < 2; run++)
        {
            using CachedOnnxTeacher teacher = Open(path, folder);
            Assert.That(teacher.Abilities.LooksAtBatches, Is.False, "no view of the teacher's own is needed");
            var loader = new BatchLoader(store, [StudentSize], 2, new AugmentationOptions());
            for (int epoch = 0; epoch < 3; epoch++)
            {
                foreach (DetectionBatch batch in loader.Epoch(1, epoch, shuffle: true))
                {
                    using (batch)
                    using (teacher.View(batch)) Assert.That(batch.Count, Is.GreaterThan(0));
                }
            }

            Assert.That(teacher.Looks, Is.EqualTo(run == 0 ? 5 : 0));
        }
    }

    [Test]
    public void ImagesThatAreMixed_AreNotItsImages()
    {
        using var folder = new TemporaryFolder();
        using var graph = Graph();
        using CachedOnnxTeacher teacher = Open(graph.Save(), folder);
        using var data = new DrawnDataset(4);
        using OneStageDetector student = OneStageRun.Detector();
        TrainingOptions options = TinyRun.Options() with { Augmentation = new AugmentationOptions { MosaicShare = 0.1f } };
        Assert.That(() => OneStageRun.Train(options, data, student, teacher: teacher), Throws.ArgumentException
            .With.Message.Contains("MosaicShare").And.Message.Contains("CacheDirectory"));
    }

    [Test]
    public void WholeImages_AreAnswered_AsWithoutACache()
    {
        using var folder = new TemporaryFolder();
        using var graph = Graph();
        string path = graph.Save();
        using SampleStore store = DrawnStore.Of(3);
        using CachedOnnxTeacher cached = Open(path, folder);
        using var plain = new OnnxTeacher(path, OnnxDetectorFormat.Ssd, ["cat"], Options, ["cat"]);
        using DetectionBatch batch = Shown(store, AugmentationOptions.None, seed: 1);
        using DetectionBatch seen = BatchLoader.Load(store, [.. batch.Indices], plain.InputSize);
        using Tensor box = tensor(Box, [1, 4]);
        using ITeacherView one = cached.View(batch), other = plain.View(seen);
        float[] answers = TensorArrays.Floats(one.ScoreBoxes([box, box, box]).Probabilities);
        Assert.That(answers, Is.EqualTo(TensorArrays.Floats(other.ScoreBoxes([box, box, box]).Probabilities)).AsCollection.Within(1e-6f));
        Assert.That(answers.Where((_, i) => i % 2 == 1).Distinct().Count(), Is.EqualTo(3), "each image has its own");
    }

    [Test]
    public void Variations_AreAnsweredWhereTheObjectsHaveGone()
    {
        using var folder = new TemporaryFolder();
        using var graph = Graph();
        using SampleStore store = DrawnStore.Of(3);
        using CachedOnnxTeacher teacher = Open(graph.Save(), folder);
        int mirrored = 0, cropped = 0;
        for (int seed = 0; seed < 6; seed++)
        {
            using var scope = NewDisposeScope();
            using DetectionBatch batch = Shown(store, new AugmentationOptions { ScaleJitter = 0.4f }, seed);
            using ITeacherView view = teacher.View(batch);
            for (int i = 0; i < batch.Count; i++)
            {
                ImageGeometry geometry = batch.Geometries[i];
                Annotation gone = geometry.Apply(new Annotation(Box, [0]));
                if (gone.Count == 0) continue;
                if (geometry.Mirror) mirrored++;
                if (geometry.Width < 1) cropped++;
                Tensor[] asked = [.. Enumerable.Range(0, batch.Count).Select(k => k == i ? tensor(gone.Boxes, [1, 4]) : zeros(0, 4))];
                BoxScores scores = view.ScoreBoxes(asked);
                Assert.That(scores.Known!.data<bool>().ToArray(), Is.EqualTo(new[] { true }));
                Assert.That(TensorArrays.Floats(scores.Probabilities)[1], Is.GreaterThan(0.5f), "the object is there");
                Assert.That(TensorArrays.Floats(scores.RefinedBoxes), Is.EqualTo(gone.Boxes).AsCollection.Within(1e-5f));
            }
        }

        Assert.That((mirrored, cropped), Is.Not.EqualTo((0, 0)));
        Assert.That(mirrored * cropped, Is.GreaterThan(0));
    }

    /// <summary>The mean of each side's distribution is the side of the box, before and after.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void DistributionsOfSides_GoWhereTheirBoxGoes(bool mirror)
    {
        // Sides at .2 .3 .6 .7, each as two bins a tenth to either side with ½ each, or unequal ones with the same mean.
        float[] places = [.1f, .3f, .2f, .4f, .5f, .8f, .6f, .8f], shares = [.5f, .5f, .5f, .5f, 2 / 3f, 1 / 3f, .5f, .5f];
        var predictions = new DensePredictions([.2f, .3f, .6f, .7f, .9f, .9f, 1, 1], [.9f, .8f], [.9f, .8f])
        {
            Edges = new EdgeBins(2, [.. shares, .. new float[8]], [.. places, .. new float[8]]),
        };

        // The second box lies outside what is shown.
        DensePredictions gone = CachedOnnxTeacher.Through(predictions, new ImageGeometry(.1f, .1f, .75f, .75f, mirror));

        Assert.That(gone.Count, Is.EqualTo(1));
        float[] means = [.. Enumerable.Range(0, 4)
            .Select(side => Enumerable.Range(2 * side, 2).Sum(k => gone.Edges!.Probabilities[k] * gone.Edges.Places[k]))];
        Assert.That(means, Is.EqualTo(gone.Boxes).AsCollection.Within(1e-5f));
        Assert.That(gone.Edges!.Probabilities[mirror ? 0 : 4], Is.EqualTo(2 / 3f).Within(1e-6f), "in a mirror left is right");
    }

    [Test]
    public void Fingerprints_TellModelsAndWaysOfReadingApart()
    {
        using var graph = Graph();
        string path = graph.Save();
        string[] prints =
        [
            OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["cat"], Options),
            OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["dog"], Options),
            OnnxFingerprint.Of(path, OnnxDetectorFormat.Detr, ["cat"], Options),
            OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["cat"],
                Options with { Preprocessing = new OnnxPreprocessing { Mean = [1, 2, 3] } }),
            OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["cat"], Options with { NoiseScore = 0.01 }),
        ];
        Assert.That(prints, Is.Unique);
        Assert.That(OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["cat"], Options with { Threads = 3, CacheBytes = 5 }),
            Is.EqualTo(prints[0]), "what has no part in the answers does not count");
    }

    private static OnnxTeacherOptions Options => new() { Preprocessing = new OnnxPreprocessing() };

    /// <summary>Says cat at a fixed place, the surer the brighter the image.</summary>
    private static TeacherGraph Graph()
        => new TeacherGraph("batch").Output("scores", [.3f, .7f], [1, 2], [-.1f, .1f]).Output("boxes", Box, [1, 4]);

    private static CachedOnnxTeacher Open(string path, TemporaryFolder folder) => new(
        new OnnxTeacher(path, OnnxDetectorFormat.Ssd, ["cat"], Options, ["cat"]),
        new AnswerCache(folder.Path, OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, ["cat"], Options), 1 << 20));

    /// <summary>The one batch of an epoch, as training sees it.</summary>
    private static DetectionBatch Shown(SampleStore store, AugmentationOptions augmentation, int seed)
        => new BatchLoader(store, [StudentSize], 3, augmentation).Epoch(seed, 0, shuffle: false).First();
}
