using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Training by default, and by all losses, does what it did before losses became values.</summary>
public class RecordedDefaultsTests
{
    private static readonly string[] Classes = ["square", "disc"];

    /// <summary>
    /// By student, teacher and losses: the terms of two images (name, weight, value) and the losses of two epochs, as they were before
    /// losses became values; those of two-stage students since each image draws for itself, before which all else was as recorded. Those
    /// with a teacher are as they have been since maps of unequal size meet at the teacher's, a second map learns, anchors of another grid
    /// are answered by overlap, quality scores leave objects to their classes, and CrossKD is as published; of fresh one-stage students
    /// since the losses on maps fade; without a teacher nothing changed.
    /// </summary>
    private static readonly Dictionary<string, string> Recorded = new()
    {
        ["two-stage/two-stage"] = "rpn.class.hard:0.5:0.691020012 rpn.class.soft:0.5:0.88071233 rpn.box.bounded:0.5:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.5:1.11303079 rcn.class.soft:0.5:1.28625226 rcn.box.bounded:0.5:0.146132588 "
            + "rcn.box:1:0.104169495 hint.conv2:0.25:1.25726736 hint.conv3:0.25:1.07213211 cwd.conv2:5:0.297617853 "
            + "cwd.conv3:5:0.0527902544 total::4.14681571:3.77995423",
        ["two-stage/one-stage"] = "rpn.class.hard:0.5:0.691020012 rpn.class.soft:0.5:1.0313257 rpn.box.bounded:0.5:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.5:1.11303079 rcn.class.soft:0.5:1.64038682 rcn.box.bounded:0.5:0 "
            + "rcn.box:1:0.104169495 hint.conv2:0.25:1.16189027 hint.conv3:0.25:1.19973183 cwd.conv2:5:0.447049022 "
            + "cwd.conv3:5:0.405935764 total::5.82215932:5.02728712",
        ["two-stage/onnx"] = "rpn.class.hard:0.5:0.691020012 rpn.class.soft:0.5:0.993329942 rpn.box.bounded:0.5:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.5:1.11303079 rcn.class.soft:0.5:1.58225727 rcn.box.bounded:0.5:0 "
            + "rcn.box:1:0.104169495 total::2.2583319:1.78680579",
        ["two-stage/none"] = "rpn.class.hard:1:0.691020012 rpn.box:1:0.00374960178 rcn.class.hard:1:1.11303079 rcn.box:1:0.104169495 "
            + "total::1.88031541:1.45436538",
        ["two-stage/two-stage/started"] = "rpn.class.hard:0.5:0.691020012 rpn.class.soft:0.5:0.88071233 rpn.box.bounded:0.5:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.5:1.11303079 rcn.class.soft:0.5:1.28625226 rcn.box.bounded:0.5:0.146132588 "
            + "rcn.box:1:0.104169495 hint.conv2:0.25:1.25726736 hint.conv3:0.25:1.07213211 total::2.76148504:2.52657255",
        ["two-stage/one-stage/started"] = "rpn.class.hard:0.5:0.691020012 rpn.class.soft:0.5:1.0313257 rpn.box.bounded:0.5:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.5:1.11303079 rcn.class.soft:0.5:1.64038682 rcn.box.bounded:0.5:0 "
            + "rcn.box:1:0.104169495 hint.conv2:0.25:1.16189027 hint.conv3:0.25:1.19973183 total::2.8534144:2.26705881",
        ["two-stage/two-stage/all"] = "rpn.class.hard:0.4:0.691020012 rpn.class.soft:0.7:4.27901888 rpn.box.bounded:0.3:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.4:1.11303079 rcn.class.soft:0.7:5.87578678 rcn.class.relations:1:2.39604616 "
            + "rcn.box.bounded:0.3:0.146132588 rcn.box:1:0.104169495 hint.conv2:0.3:1.25726736 hint.conv3:0.3:1.07213211 "
            + "pkd.conv2:3:0.981222391 pkd.conv3:3:1.07499063 cwd.conv2:4:0.218801945 cwd.conv3:4:0.0461530536 "
            + "mgd.conv2:0.25:1.0110029 mgd.conv3:0.25:0.984387696 total::17.7643366:16.1419013",
        ["two-stage/one-stage/all"] = "rpn.class.hard:0.4:0.691020012 rpn.class.soft:0.7:5.49398136 rpn.box.bounded:0.3:0 "
            + "rpn.box:1:0.00374960178 rcn.class.hard:0.4:1.11303079 rcn.class.soft:0.7:8.60905457 rcn.class.relations:1:2.54480171 "
            + "rcn.box.bounded:0.3:0 rcn.box:1:0.104169495 hint.conv2:0.3:1.16189027 hint.conv3:0.3:1.19973183 "
            + "pkd.conv2:3:0.915408015 pkd.conv3:3:0.937213004 cwd.conv2:4:0.307132751 cwd.conv3:4:0.277513444 "
            + "mgd.conv2:0.25:0.988355935 mgd.conv3:0.25:1.00710058 total::20.6993009:17.8518749",
        ["one-stage/two-stage"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 hint.neck0:0.25:1.62514031 "
            + "hint.neck1:0.25:1.7720238 cwd.neck0:5:0.123357505 cwd.neck1:5:0.109541029 total::3.76943361:2.26426181",
        ["one-stage/one-stage"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 hint.neck0:0.25:1.65611053 "
            + "hint.neck1:0.25:2.00402522 cwd.neck0:5:0.954362094 cwd.neck1:5:0.730799079 total::8.67492022:2.26720551",
        ["one-stage/onnx"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 class.soft:0.5:0.00967917219 "
            + "box.bounded:1:0.729006708 total::2.99908164:3.01017348",
        ["one-stage/none"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 total::2.30385272:2.25610221",
        ["one-stage/two-stage/started"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 "
            + "class.soft:0.5:0.00589310052 box.bounded:1:0.760134161 hint.neck0:0.25:1.62514031 hint.neck1:0.25:1.7720238 "
            + "total::3.84011262:3.63507329",
        ["one-stage/one-stage/started"] = "class.hard:1:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 "
            + "class.soft:0.5:0.0297658779 box.bounded:1:0 hint.neck0:0.25:1.65611053 hint.neck1:0.25:2.00402522 "
            + "total::3.20316401:3.03280426",
        ["one-stage/two-stage/all"] = "class.hard:0.4:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 "
            + "class.soft:0.7:0.00589243369 class.relations:1:1.97677374 box.bounded:0.6:0.822029948 hint.neck0:0.3:1.62514031 "
            + "hint.neck1:0.3:1.7720238 pkd.neck0:3:0.992379904 pkd.neck1:3:1.04166591 cwd.neck0:4:0.154276237 "
            + "cwd.neck1:4:0.0952828228 mgd.neck0:0.25:0.982670188 mgd.neck1:0.25:0.99446094 total::12.7467631:11.5909254",
        ["one-stage/one-stage/all"] = "class.hard:0.4:0.0301554054 box:2:0.822029948 box.edges:0.25:1.90798628 "
            + "class.soft:0.7:0.0297658779 class.relations:1:2 box.distribution:0.25:0 box.bounded:0.6:0 "
            + "crosshead.class:1:4.39191854E-06 crosshead.box:4:4.16313597E-08 hint.neck0:0.3:1.65611053 hint.neck1:0.3:2.00402522 "
            + "pkd.neck0:3:0.882290423 pkd.neck1:3:0.930628955 cwd.neck0:4:0.743879676 cwd.neck1:4:0.667055786 "
            + "mgd.neck0:0.25:1.10970998 mgd.neck1:0.25:1.02952313 total::16.7581156:16.1941762",
    };

    private static IEnumerable<string> Cases => Recorded.Keys;

    [TestCaseSource(nameof(Cases))]
    public void TrainingIs_AsItWasRecorded(string name)
    {
        string[] parts = name.Split('/');
        DistillationLoss[]? all = parts[^1] != "all" ? null :
        [
            new SoftClasses { LabelWeight = 0.4, Weight = 0.7, BackgroundWeight = 2, Temperature = 2 },
            new ClassRelations(),
            .. parts is ["one-stage", "one-stage", ..] ? (DistillationLoss[])[new BoxDistributions()] : [],
            new BoundedBoxes { Weight = 0.3, Margin = 0.1 },
            .. parts is ["one-stage", "one-stage", ..] ? (DistillationLoss[])[new CrossHead()] : [],
            new Hint { Weight = 0.6 },
            new PearsonFeatures { Weight = 6 },
            new ChannelWise { Weight = 8, Temperature = 2 },
            new MaskedGeneration { Weight = 0.5, MaskedShare = 0.5 },
        ];
        DetectorEstimatorOptions options = parts[1] == "none"
            ? new TrainDetectorOptions()
            : new DistillDetectorOptions { Teacher = null!, Losses = all };
        (string Name, double[] Figures)[] actual = Parse(Run(parts[0], parts[1], options, started: parts[^1] == "started")),
            expected = Parse(Recorded[name]);
        Assert.That(actual.Select(term => term.Name), Is.EqualTo(expected.Select(term => term.Name)));
        foreach (((string term, double[] figures), (_, double[] recorded)) in actual.Zip(expected))
        {
            for (int i = 0; i < recorded.Length; i++)
                Assert.That(figures[i], Is.EqualTo(recorded[i]).Within(Tolerance(term, i) * Math.Abs(recorded[i]) + 1e-8), term);
        }
    }

    /// <summary>
    /// Another processor rounds otherwise (of AVX2 and AVX-512 the terms differ by up to 2e-6), which the steps of two epochs multiply.
    /// </summary>
    private static double Tolerance(string term, int figure) => term != "total" ? 1e-5 : figure == 0 ? 1e-4 : 1e-3;

    private static (string Name, double[] Figures)[] Parse(string text)
        => [.. text.Split(' ').Select(term => term.Split(':')).Select(parts =>
        (parts[0], Array.ConvertAll(parts[1..].Where(part => part.Length > 0).ToArray(),
            part => double.Parse(part, CultureInfo.InvariantCulture))))];

    private static string Run(string studentFamily, string teacherFamily, DetectorEstimatorOptions options, bool started)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var data = new DrawnDataset(8);
        using Detector student = studentFamily == "two-stage" ? TinyRun.Detector() : OneStageRun.Detector();
        using TeacherGraph graph = LaterLossesTests.GflGraph();
        using ITeacher? teacher = teacherFamily switch
        {
            "two-stage" => TinyRun.Teacher(),
            "one-stage" => new OneStageTeacher(OneStageRun.Detector(seed: 9, widths: [8, 16, 32]), Classes, CPU),
            "onnx" => new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Gfl, Classes, null, Classes),
            _ => null,
        };
        if (started)
        {
            string path = Path.Combine(folder.Path, "student.onnx");
            File.WriteAllBytes(path, DetectorFile.Export(student).ToBytes());
            options = options with { InitialStudent = TrainedDetector.FromModel(path) };
        }

        manual_seed(7);
        using IObjective objective = options.Setup.ObjectiveOf(student, teacher, CPU);
        ImageSize[] views = teacher is null ? [student.InputSize] : [student.InputSize, teacher.InputSize];
        string terms;
        using (DetectionBatch batch = BatchLoader.Load(data, [0, 1], views))
        using (ITeacherView? view = teacher?.View(batch))
        {
            student.train(true);
            manual_seed(4);
            IReadOnlyList<LossTerm> computed = objective.Compute(batch.Annotations, batch.Views[0], view);
            terms = string.Join(" ", computed
                .Select(term => string.Create(CultureInfo.InvariantCulture, $"{term.Name}:{term.Weight}:{term.Value.ToSingle():G9}")));
        }

        TrainingResult result = new TrainingLoop([(objective, TinyRun.Options(2))], teacher, data, null, CPU).Run()[0];
        return terms + string.Create(CultureInfo.InvariantCulture, $" total::{result.History[0].Loss:G9}:{result.History[1].Loss:G9}");
    }
}
