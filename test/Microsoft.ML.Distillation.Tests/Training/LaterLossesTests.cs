using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>PKD, CWD, MGD, DIST, LD and CrossKD in training.</summary>
public class LaterLossesTests
{
    private static readonly string[] Classes = ["square", "disc"];

    private static readonly DistillationLoss[] Every =
        [new SoftClasses(), new BoundedBoxes(), new ClassRelations(), new PearsonFeatures(), new ChannelWise(), new MaskedGeneration()];

    [Test]
    public void MapAndClassLosses_StandBesideTheHint_OrInItsPlace_ForBothFamilies()
    {
        using var data = new DrawnDataset(8);
        using FasterRcnn twoStage = TinyRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        TrainingResult two = TinyRun.Train(TinyRun.Options(6), data, student: twoStage, teacher: teacher,
            losses: TinyRun.Losses([.. Every, new Hint()]) with { Hints = [new("conv3", "conv4")] });
        Assert.That(two.History[0].Losses.Keys, Is.SupersetOf(new[] { "hint", "pkd", "cwd", "mgd", "rcn.class.relations" }));
        Assert.That(two.History[^1].Losses["pkd"], Is.LessThan(two.History[0].Losses["pkd"]));

        using OneStageDetector oneStage = OneStageRun.Detector();
        LossSelection losses = TinyRun.Losses(Every) with { Hints = [new("neck0", "conv3")] };
        TrainingResult one = OneStageRun.Train(TinyRun.Options(6), data, oneStage, teacher: teacher, losses: losses);
        Assert.That(one.History[0].Losses.Keys, Is.SupersetOf(new[] { "pkd", "cwd", "mgd", "class.relations" }).And.None.EqualTo("hint"));
        foreach (string term in new[] { "pkd", "mgd" })
            Assert.That(one.History[^1].Losses[term], Is.LessThan(one.History[0].Losses[term]), term);
    }

    /// <summary>
    /// Full until the share of the training, then half a cosine: at three quarters of a training that fades from its half, ½.
    /// </summary>
    [Test]
    public void ALossOnMaps_FadesToNothing()
    {
        var fading = new ChannelWise { FadeFrom = 0.5 };
        double[] left = [.. new[] { 0, 0.5, 0.625, 0.75, 1 }.Select(fading.RemainingAt)];
        Assert.That(left, Is.EqualTo(new[] { 1, 1, (2 + Math.Sqrt(2)) / 4, 0.5, 0 }).Within(1e-12));
        Assert.That(new ChannelWise().RemainingAt(1), Is.EqualTo(1), "unless asked for it stays");
        Assert.That(new Hint { FadeFrom = 1 }.RemainingAt(1), Is.EqualTo(1));
        var early = new Hint { FadeFrom = 0, FadeUntil = 0.5 };
        Assert.That(new[] { 0, 0.25, 0.5, 0.9 }.Select(early.RemainingAt), Is.EqualTo(new[] { 1, 0.5, 0, 0 }).Within(1e-12));
        Assert.That(new Hint { FadeFrom = 0.6, FadeUntil = 0.5 }.Validate,
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("FadeUntil"));
        Assert.That(new Hint { FadeFrom = 1.5 }.Validate, Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("FadeFrom"));

        using FasterRcnn student = TinyRun.Detector();
        using TwoStageTeacher teacher = TinyRun.Teacher();
        using var data = new DrawnDataset(2);
        using var objective = new TwoStageObjective(
            student, 0, TinyRun.Losses(fading) with { Hints = [new("conv3", "conv4")] }, teacher, CPU);
        using DetectionBatch batch = BatchLoader.Load(data, [0, 1], student.InputSize, teacher.InputSize);
        using ITeacherView view = teacher.View(batch);
        foreach ((double progress, double weight) in new[] { (0.2, 10.0), (0.75, 5), (1, 0) })
        {
            using var scope = NewDisposeScope();
            objective.Progress = progress;
            LossTerm term = objective.Compute(batch.Annotations, batch.Views[0], view).Single(term => term.Name == "cwd");
            Assert.That(term.Weight, Is.EqualTo(weight).Within(1e-9));
        }
    }

    [Test]
    public void WhereAllThatAsksTheTeacherHasFaded_ItIsNotAsked()
    {
        using var data = new DrawnDataset(4);
        using FasterRcnn student = TinyRun.Detector();
        using var teacher = new CountingTeacher(TinyRun.Teacher());
        LossSelection losses = TinyRun.Losses(new ChannelWise { FadeFrom = 0, FadeUntil = 0.5 }) with { Hints = [new("conv3", "conv4")] };
        TrainingResult result = TinyRun.Train(TinyRun.Options(4), data, student: student, teacher: teacher, losses: losses);
        Assert.That(teacher.Views, Is.EqualTo(2), "of four steps");
        Assert.That(result.History.Select(epoch => epoch.Losses["cwd"] > 0), Is.EqualTo(new[] { true, true, false, false }));
    }

    [TestCase(24, 80, 0)]
    [TestCase(16, 160, 2, Description = "of other channels, and of cells half the size")]
    public void LdAndCrossHead_TeachAOneStageStudent(int channels, int inputSize, int adaptations)
    {
        using var data = new DrawnDataset(8);
        OneStageDetector wise = OneStageRun.Detector(
            seed: 9, widths: [12, 24, 32], inputSize: inputSize, options: new OneStageOptions { Channels = channels, Strides = [8, 16] });
        OneStageRun.Train(TinyRun.Options(25), data, wise);
        using var teacher = new OneStageTeacher(wise, Classes, CPU);
        // The same run with the losses in the log alone, and with them at work.
        EpochSummary watched = Last(1e-9), taught = Last(1);
        foreach (string term in new[] { "box.distribution", "crosshead.class", "crosshead.box" })
        {
            TestContext.Out.WriteLine($"{term}: {watched.Losses[term]} untaught, {taught.Losses[term]} taught");
            Assert.That(watched.Losses[term] / 1e-9, Is.GreaterThan(taught.Losses[term]), term);
        }

        using OneStageDetector fresh = OneStageRun.Detector();
        using var objective = new OneStageObjective(fresh, 0, TinyRun.Losses(new CrossHead()), teacher, CPU);
        Assert.That(objective.Extras, Has.Count.EqualTo(adaptations), "a layer for each map where channels differ");

        EpochSummary Last(double weight)
        {
            using OneStageDetector student = OneStageRun.Detector();
            LossSelection losses = TinyRun.Losses(
                new ChannelWise(), new BoxDistributions { Weight = weight }, new CrossHead { Weight = weight });
            return OneStageRun.Train(TinyRun.Options(20), data, student, teacher: teacher, losses: losses).History[^1];
        }
    }

    [Test]
    public void AStudentThatEqualsItsTeacher_HasNothingToLearnFromLdAndCrossHead()
    {
        using OneStageDetector student = OneStageRun.Detector(seed: 3);
        using var teacher = new OneStageTeacher(OneStageRun.Detector(seed: 3), Classes, CPU);
        Dictionary<string, double> terms = OneStageRun.Terms(
            student, teacher, TinyRun.Losses(new BoxDistributions(), new CrossHead()), training: false);
        Assert.That((terms["box.distribution"], terms["crosshead.class"], terms["crosshead.box"]), Is.EqualTo((0, 0, 0)).Within(1e-4));
    }

    [Test]
    public void WhereALossDoesNotApply_TheOptionIsNamed_WithTheReason()
    {
        using FasterRcnn twoStage = TinyRun.Detector();
        using OneStageDetector student = OneStageRun.Detector();
        using TwoStageTeacher boxes = TinyRun.Teacher();
        using var other = new OneStageTeacher(OneStageRun.Detector(), Classes, CPU);
        LossSelection ld = TinyRun.Losses(new BoxDistributions());
        LossSelection cross = TinyRun.Losses(new CrossHead());
        Assert.That(() => new TwoStageObjective(twoStage, 0, ld, boxes, CPU),
            Throws.ArgumentException.With.Message.Contains("BoxDistributions").And.Message.Contains("one-stage student"));
        Assert.That(() => new TwoStageObjective(twoStage, 0, cross, other, CPU),
            Throws.ArgumentException.With.Message.Contains("CrossHead"));
        Assert.That(() => new OneStageObjective(student, 0, ld, boxes, CPU),
            Throws.ArgumentException.With.Message.Contains("distributions"));
        Assert.That(() => new OneStageObjective(student, 0, cross, boxes, CPU),
            Throws.ArgumentException.With.Message.Contains("a one-stage teacher"));
        Assert.That(() => new PearsonFeatures { Weight = -1 }.Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("PearsonFeatures.Weight"));
        Assert.That(() => new MaskedGeneration { MaskedShare = 1 }.Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("MaskedGeneration.MaskedShare"));
    }

    private static IEnumerable<FeatureMapLoss> OnMaps => [new Hint(), new PearsonFeatures(), new ChannelWise(), new MaskedGeneration()];

    [TestCaseSource(nameof(OnMaps))]
    public void ALossOnMaps_UnderATeacherWithoutMaps_IsAnErrorThatSaysWhatToDo(object loss)
    {
        using FasterRcnn twoStage = TinyRun.Detector();
        using OneStageDetector oneStage = OneStageRun.Detector();
        using var teacher = new SilentTeacher(known: true);
        LossSelection losses = TinyRun.Losses((FeatureMapLoss)loss);
        foreach (Func<IObjective> make in new Func<IObjective>[] { () => new TwoStageObjective(twoStage, 0, losses, teacher, CPU),
            () => new OneStageObjective(oneStage, 0, losses, teacher, CPU) })
        {
            Assert.That(make, Throws.ArgumentException.With.Message.Contains(loss.GetType().Name).And.Message
                .Contains("OnnxTeacherOptions.Hints")
                .And.Message.Contains("CacheDirectory"));
        }

        using var plain = new TwoStageObjective(twoStage, 0, new LossSelection(), teacher, CPU);
        Assert.That(plain.Extras, Is.Empty, "the hint, which nobody asked for, is left out");
    }

    [Test]
    public void Ld_GoesWithTheCache_AndCostsTheSame()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var data = new DrawnDataset(2);
        using var graph = GflGraph();
        string path = graph.Save();
        var options = new OnnxTeacherOptions();
        using OneStageDetector student = OneStageRun.Detector();
        using var plain = new OnnxTeacher(path, OnnxDetectorFormat.Gfl, Classes, options, Classes);
        using var cached = new CachedOnnxTeacher(
            new OnnxTeacher(path, OnnxDetectorFormat.Gfl, Classes, options, Classes),
            new AnswerCache(folder.Path, OnnxFingerprint.Of(path, OnnxDetectorFormat.Gfl, Classes, options), 1 << 20));
        LossSelection loss = TinyRun.Losses(new BoxDistributions { Weight = 1 });
        using var objective = new OneStageObjective(student, 0, loss, cached, CPU);
        double[] values = [.. Enumerable.Range(0, 2).Select(_ => Value(cached)), Value(plain)];
        Assert.That(cached.Looks, Is.EqualTo(2), "the second time the answers came from the folder");
        Assert.That(values[0], Is.GreaterThan(0));
        Assert.That(values, Is.All.EqualTo(values[0]).Within(1e-5));

        double Value(ITeacher teacher)
        {
            using DetectionBatch batch = teacher.Abilities.LooksAtBatches
                ? BatchLoader.Load(data, [0, 1], [student.InputSize, teacher.InputSize])
                : new BatchLoader(data, [student.InputSize], 2, AugmentationOptions.None).Epoch(1, 0, shuffle: false).First();
            using ITeacherView view = teacher.View(batch);
            student.train();
            manual_seed(4);
            return objective.Compute(batch.Annotations, batch.Views[0], view).Single(term => term.Name == "box.distribution").Value
                .ToDouble();
        }
    }

    [Test]
    public void AGflTeacher_GivesItsDistributions_InShares()
    {
        using var scope = NewDisposeScope();
        // Of 64 + 16 + 4 cells of strides 8, 16, 32 only cell 9 (column 1, row 1) of stride 8 predicts: class 0, .9; all distances of bins
        // 2 or 3, half each.
        const int bins = 8, cells = 84;
        var values = new float[cells * (1 + 4 * bins)];
        for (int cell = 0; cell < cells; cell++) values[cell * (1 + 4 * bins)] = 1e-3f;
        values[9 * (1 + 4 * bins)] = 0.9f;
        for (int side = 0; side < 4; side++)
            for (int k = 0; k < bins; k++) values[9 * (1 + 4 * bins) + 1 + side * bins + k] = k is 2 or 3 ? 20 : -20;
        using var graph = new TeacherGraph().Output("out", values, [cells, 1 + 4 * bins]);
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Gfl, ["cat"], null, ["cat"]);
        Assert.That(teacher.Abilities.HasBoxDistributions);
        using ITeacherView view = teacher.View(zeros(1, 3, 64, 64));

        // NanoDet-Plus's offset is 0: the location is 8 8 of 64, the box reaches 20 pixels to each side and is cut at the image's border.
        EdgeScores edges = view.ScoreEdges([tensor(new[] { 0f, 0, 28 / 64f, 28 / 64f, .6f, .6f, .9f, .9f }, [2, 4])]);
        Assert.That(edges.Known.data<bool>().ToArray(), Is.EqualTo(new[] { true, false }));
        Assert.That(TensorArrays.Floats(edges.Probabilities[0, 2]),
            Is.EqualTo(new[] { 0, 0, .5f, .5f, 0, 0, 0, 0 }).AsCollection.Within(1e-5));
        Assert.That(TensorArrays.Floats(edges.Places[0, 0])[..4], Is.EqualTo(new[] { .125f, 0, -.125f, -.25f }).AsCollection.Within(1e-6));
        Assert.That(TensorArrays.Floats(edges.Places[0, 3])[..4], Is.EqualTo(new[] { .125f, .25f, .375f, .5f }).AsCollection.Within(1e-6));
    }

    /// <summary>Sure of both classes everywhere, with sides of one to four strides.</summary>
    internal static TeacherGraph GflGraph()
    {
        const int bins = 6, cells = 84, columns = 2 + 4 * bins;
        var values = new float[cells * columns];
        for (int i = 0; i < values.Length; i++) values[i] = i % columns < 2 ? 0.4f + 0.3f * (i % columns) : (i * 7 % 11) / 3f;
        return new TeacherGraph().Output("out", values, [cells, columns]);
    }

    /// <summary>Counts how often a teacher looks.</summary>
    private sealed class CountingTeacher(ITeacher teacher) : ITeacher
    {
        public int Views { get; private set; }

        public ImageSize InputSize => teacher.InputSize;

        public TeacherAbilities Abilities => teacher.Abilities;

        public ITeacherView View(DetectionBatch batch)
        {
            Views++;
            return teacher.View(batch);
        }

        public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes) => teacher.Detect(images, sizes);

        public void Dispose() => teacher.Dispose();
    }
}
