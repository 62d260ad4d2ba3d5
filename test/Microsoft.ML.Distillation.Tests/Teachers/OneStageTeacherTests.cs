using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tests.Detectors;
using Microsoft.ML.Distillation.Tests.Detectors.OneStage;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers;

public class OneStageTeacherTests
{
    [Test]
    public void ItsOwnConfidentBoxes_GetItsOwnScores_InTheStudentsClasses()
    {
        using var scope = NewDisposeScope();
        OneStageDetector detector = OneStageDetectors.Build(Backbone.Plain(8, 16, 24), 96);
        OneStageDetectors.Shake(detector);
        Tensor images = TestDetectors.Images(detector, 2), size = tensor(new[] { 96f, 72, 96, 72 });
        Assert.That((detector.InputSize.Width, detector.InputSize.Height), Is.EqualTo((96, 72)));
        DenseOutput answer = detector.Answer(detector.Features(images));
        Tensor boxes = (detector.Coder.Decode(answer.Edges) / size).clamp(0, 1), probabilities = answer.Logits.sigmoid();
        (Tensor score, Tensor label) = probabilities.max(2);
        Tensor feature = detector.Features(images)["neck0"];

        using var teacher = new OneStageTeacher(detector, ["c", "a", "b"], CPU);
        using ITeacherView view = teacher.View(images);
        Tensor[] confident = [.. Enumerable.Range(0, 2).Select(n => score[n].topk(3).indexes)];
        BoxScores scores = view.ScoreBoxes([.. confident.Select((best, n) => boxes[n].index_select(0, best))]);

        Assert.That(score.amax([1]).min().ToSingle(), Is.GreaterThan(0.3f), "the detector is sure of something");
        Assert.That(scores.Probabilities.shape, Is.EqualTo(new long[] { 6, 4 }));
        for (int n = 0; n < 2; n++)
        {
            for (int i = 0; i < 3; i++)
            {
                int point = (int)confident[n][i].ToInt64(), best = (int)label[n][point].ToInt64(), row = 3 * n + i;
                if (score[n][point].ToSingle() < 0.3f) continue;
                // Classes a b c are columns 2 3 1 of the answer.
                Assert.That(scores.Probabilities[row][best == 2 ? 1 : best + 2].ToSingle(),
                    Is.EqualTo(score[n][point].ToSingle()).Within(1e-5));
                Assert.That(TensorArrays.Floats(scores.RefinedBoxes[row][0]),
                    Is.EqualTo(TensorArrays.Floats(boxes[n][point])).AsCollection.Within(1e-5));
                Assert.That(scores.Known![row].ToBoolean() && scores.KnownBoxes![row].ToBoolean());
            }
        }

        Assert.That((view.Feature("neck0") - feature).abs().max().ToSingle(), Is.LessThan(1e-5));
        Assert.That(view.ScoreAnchors(boxes[0]).Objectness.shape, Is.EqualTo(new[] { 2, boxes.shape[1] }));
    }

    [Test]
    public void ItsDetections_AreTheDetectors_InTheStudentsClasses()
    {
        using var scope = NewDisposeScope();
        OneStageDetector detector = OneStageDetectors.Build(Backbone.Plain(8, 16, 24), 96);
        OneStageDetectors.Shake(detector);
        detector.eval();
        Tensor images = TestDetectors.Images(detector, 2);
        IReadOnlyList<Detections> own = detector.Detect(images);
        using var teacher = new OneStageTeacher(detector, ["c", "z", "b"], CPU);
        IReadOnlyList<Detections> found = teacher.Detect(images, [new(96, 72), new(96, 72)]);
        Assert.That(found, Has.Count.EqualTo(2));
        Assert.That(found.Sum(image => image.Count), Is.GreaterThan(0));
        for (int n = 0; n < 2; n++)
        {
            int[] known = [.. Enumerable.Range(0, own[n].Count).Where(i => own[n].Labels[i] > 0)];
            Assert.That(found[n].Scores, Is.EqualTo(known.Select(i => own[n].Scores[i])).Within(1e-5f), "a is not the student's");
            Assert.That(found[n].Labels, Is.EqualTo(known.Select(i => own[n].Labels[i] == 2 ? 0 : 2)));
            Assert.That(found[n].Boxes, Is.EqualTo(known.SelectMany(i => own[n].Boxes[(4 * i)..(4 * i + 4)])).Within(1e-5f));
        }
    }

    [Test]
    public void ClassesThatItLacks_AreReported()
    {
        using var teacher = new OneStageTeacher(OneStageDetectors.Build(Backbone.Plain(8, 16, 24), 96), ["b", "z"], CPU);
        Assert.That(teacher.Abilities.UnknownClasses, Is.EqualTo(new[] { 1 }));
        Assert.That(teacher.Abilities.IgnoredClasses, Is.EqualTo(new[] { "a", "c" }));
    }
}
