using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

/// <summary>ONNX teachers in libtorch.</summary>
public class TorchRunnerTests
{
    [TestCase("fastestdet.onnx", 352, 352, "input.136", "input.504")]
    [TestCase("ultraface-rfb320.onnx", 320, 240, "316", "362")]
    public void PublishedTeachers_AnswerAsInOnnxRuntime(string name, int width, int height, params string[] hints)
    {
        using DisposeScope scope = NewDisposeScope();
        string[] classes = name[0] == 'f' ? [.. ClassNameFile.Read(TestData.Model("coco.names"))] : ["face"];
        RgbImage[] photographs = [.. PublishedModels.Photographs().Take(3).Select(p => PublishedModels.Read(p.ImagePath))];
        var size = new ImageSize(width, height);
        float[] pixels = [.. photographs.SelectMany(p => AntialiasedResize.Resize(p, size))];
        Tensor images = tensor(pixels, [3, 3, height, width]);
        ImageSize[] sizes = [.. photographs.Select(p => new ImageSize(p.Width, p.Height))];
        using OnnxTeacher here = Open(OnnxTeacherRuntime.TorchSharp), there = Open(OnnxTeacherRuntime.OnnxRuntime);
        Assert.That(here.Abilities.FeatureMaps, Is.EqualTo(there.Abilities.FeatureMaps));
        Assert.That((here.Format, here.InputSize), Is.EqualTo((there.Format, there.InputSize)));

        using ITeacherView mine = here.View(images, sizes), theirs = there.View(images, sizes);
        foreach (string hint in hints)
        {
            Tensor expected = theirs.Feature(hint), actual = mine.Feature(hint);
            Assert.That(actual.shape, Is.EqualTo(expected.shape));
            float difference = ((actual - expected).abs().max() / expected.abs().max()).item<float>();
            TestContext.Out.WriteLine($"{hint} {difference:0.0e0}");
            Assert.That(difference, Is.LessThan(1e-3));
        }

        foreach ((DensePredictions a, DensePredictions b) in here.Predict(images, sizes).Zip(there.Predict(images, sizes)))
        {
            Assert.That(a.Count, Is.EqualTo(b.Count));
            Assert.That(a.Boxes, Is.EqualTo(b.Boxes).Within(1e-3f));
            Assert.That(a.Probabilities, Is.EqualTo(b.Probabilities).Within(1e-3f));
        }

        OnnxTeacher Open(OnnxTeacherRuntime runtime) => new(TestData.Model(name), OnnxDetectorFormat.Auto, classes,
            new OnnxTeacherOptions { RunIn = runtime, Hints = hints }, classes);
    }

    [Test]
    public void Views_LeaveNoTensorBehind()
    {
        IReadOnlyList<string> names = ClassNameFile.Read(TestData.Model("coco.names"));
        var options = new OnnxTeacherOptions { RunIn = OnnxTeacherRuntime.TorchSharp, Hints = ["input.136"] };
        using var teacher = new OnnxTeacher(TestData.Model("fastestdet.onnx"), OnnxDetectorFormat.Auto, names, options, names);
        using Tensor images = rand(2, 3, 352, 352);
        Look();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Look();
        teacher.Detect(images, [new(352, 352), new(352, 352)]);
        Assert.That(DisposeScopeManager.Statistics.ThreadTotalLiveCount, Is.EqualTo(before));

        void Look()
        {
            using ITeacherView view = teacher.View(images, [new(352, 352), new(352, 352)]);
            view.Feature("input.136");
        }
    }

    [Test]
    public void AnUnknownOperator_IsNamed_AndTheOptionThatHelps()
    {
        using var graph = new TeacherGraph();
        string path = graph.Output("scores", [.1f, .8f, .1f], [1, 3]).Integers("count", 3).Save();
        var model = Microsoft.ML.Distillation.Onnx.OnnxModelFile.LoadAll(path).Single().Model;
        model.Graph.Node.First(node => node.OpType == "Mul").OpType = "BitwiseXor";
        File.WriteAllBytes(path, new Microsoft.ML.Distillation.Onnx.OnnxModelFile(model).ToBytes());
        Assert.That(() => new TorchRunner(path, [], CPU),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("BitwiseXor").And.Message.Contains("OnnxTeacherOptions.RunIn"));
    }

    [Test]
    public void OptionsOfOnnxRuntime_DoNotGoWithIt()
    {
        var options = new OnnxTeacherOptions { RunIn = OnnxTeacherRuntime.TorchSharp };
        Assert.That(() => (options with { Threads = 2 }).Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Threads"));
        Assert.That(() => (options with { ConfigureSession = _ => { } }).Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("ConfigureSession"));
        Assert.That(() => (options with { RunIn = (OnnxTeacherRuntime)7 }).Validate(),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("RunIn"));
    }

    [Test]
    public void Letterboxes_AreCutOffItsHints_AsOffOnnxRuntimes()
    {
        using DisposeScope scope = NewDisposeScope();
        using TeacherGraph graph = new TeacherGraph("batch")
            .Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        string hint = graph.Pool(), path = graph.Save();
        Tensor image = rand(2, 3, TeacherGraph.Size, TeacherGraph.Size);
        ImageSize[] sizes = [new(200, 100), new(100, 100)];
        float[] expected = Feature(OnnxTeacherRuntime.OnnxRuntime), actual = Feature(OnnxTeacherRuntime.TorchSharp);
        Assert.That(actual, Is.EqualTo(expected).Within(1e-5f));

        float[] Feature(OnnxTeacherRuntime runtime)
        {
            var preprocessing = new OnnxPreprocessing { Fit = ImageFit.LetterboxCentred };
            using var teacher = new OnnxTeacher(path, OnnxDetectorFormat.Auto, ["a", "b"],
                new OnnxTeacherOptions { RunIn = runtime, Hints = [hint], Preprocessing = preprocessing }, ["a", "b"]);
            using ITeacherView view = teacher.View(image, sizes);
            return TensorArrays.Floats(view.Feature(hint));
        }
    }
}
