using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class OnnxTeacherTests
{
    private const float Near = 1e-5f;

    [Test]
    public void Boxes_AreAnsweredInTheStudentsClasses_WithMasks()
    {
        using var graph = SsdGraph();
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat", "dog"], null, ["dog", "fish", "cat"]);
        using Tensor images = zeros(2, 3, 64, 64);
        using ITeacherView view = teacher.View(images);
        Tensor[] boxes = [tensor(new[] { .1f, .1f, .5f, .5f, .6f, .1f, .9f, .4f }, [2, 4]), tensor(new[] { .6f, .6f, .9f, .9f }, [1, 4])];

        BoxScores scores = view.ScoreBoxes(boxes);

        // The first prediction's own box, a box where there is nothing, the box of the unsure prediction.
        Assert.That(TensorArrays.Floats(scores.Probabilities), Is.EqualTo(new[] { .1f, .7f, 0, .2f, 1, 0, 0, 0, 1, 0, 0, 0 }).AsCollection
            .Within(Near));
        Assert.That(scores.Known!.data<bool>().ToArray(), Is.EqualTo(new[] { true, true, false }));
        Assert.That(scores.KnownBoxes!.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, false }));
        Assert.That(scores.RefinedBoxes.shape, Is.EqualTo(new long[] { 3, 1, 4 }));
        Assert.That(TensorArrays.Floats(scores.RefinedBoxes)[..4], Is.EqualTo(new[] { .1f, .1f, .5f, .5f }).AsCollection.Within(Near));
        Assert.That(teacher.Abilities.UnknownClasses, Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void Anchors_AreAnsweredForEachImage()
    {
        using var graph = SsdGraph();
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat", "dog"], null, ["cat", "dog"]);
        using Tensor images = zeros(2, 3, 64, 64),
        anchors = tensor(new[] { .1f, .1f, .5f, .45f, .6f, .6f, .9f, .9f, .6f, .1f, .9f, .4f }, [3, 4]);
        using ITeacherView view = teacher.View(images);

        AnchorScores scores = view.ScoreAnchors(anchors);

        Assert.That(TensorArrays.Floats(scores.Objectness), Is.EqualTo(new[] { .9f, 0, 0, .9f, 0, 0 }).AsCollection.Within(Near));
        Assert.That(scores.Known.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, true, true, false, true }));
        Assert.That(scores.KnownBoxes!.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, false, true, false, false }));
        Assert.That(TensorArrays.Floats(scores.RefinedBoxes)[..4], Is.EqualTo(new[] { .1f, .1f, .5f, .5f }).AsCollection.Within(Near));
    }

    /// <summary>Read or shown wrongly, a teacher would teach for hours that all is background.</summary>
    [Test]
    public void TeacherWithoutAnOpinion_SaysSo_AfterFiftyImages([Values(.05f, .2f, .8f)] float score, [Values] bool labels)
    {
        using var graph = new TeacherGraph(batch: "N")
            .Output("scores", [1 - score, score, 0], [1, 3]).Output("boxes", [.1f, .1f, .5f, .5f], [1, 4]);
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat", "dog"], null, ["cat"]);
        var said = new List<string>();
        teacher.Abilities.Remarks!.Tell(said.Add);
        using Tensor images = zeros(7, 3, 64, 64);
        for (int seen = 0; seen < 49; seen += 7) Look(images);
        Assert.That(said, Is.Empty);
        for (int seen = 0; seen < 49; seen += 7) Look(images);
        if (score > .5f) Assert.That(said, Is.Empty);
        else Assert.That(said.Single(), Does.Contain("no opinion in the first 50 images").And.Contain("0.3").And.Contain("ConfidentScore"));

        void Look(Tensor batch)
        {
            if (labels) teacher.Detect(batch, [.. Enumerable.Repeat(new ImageSize(64, 64), 7)]);
            else teacher.View(batch).Dispose();
        }
    }

    [Test]
    public void WhatIsFoundOut_ReachesWhoeverLabels()
    {
        using var graph = new TeacherGraph()
            .Rows("boxes", [8, 8, 40, 40, 8, 8, 30, 30], 2, 4).Integers("labels", 1, 9).Rows("scores", [.9f, .8f], 2);
        using var labeller = new TeacherLabeller(Teacher.FromOnnx(graph.Save(), OnnxDetectorFormat.Torchvision, ["cat", "dog"]), ["cat"]);
        using MLImage image = MLImage.CreateFromPixels(64, 64, MLPixelFormat.Rgba32, new byte[4 * 64 * 64]);
        Assert.That(labeller.Remarks, Is.Empty);
        labeller.Detect(image);
        Assert.That(labeller.Remarks.Single(), Does.Contain("the label 9").And.Contain("2 class names"));
    }

    [Test]
    public void ImageWithoutPredictions_AndNoBoxesAsked_AreFine()
    {
        using var graph = new TeacherGraph().Output("scores", [1, 0], [1, 2]).Output("boxes", [0, 0, 1, 1], [1, 4]);
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat"], null, ["cat"]);
        using Tensor images = zeros(1, 3, 64, 64), none = zeros(0, 4);
        using ITeacherView view = teacher.View(images);

        Assert.That(view.ScoreBoxes([none]).Probabilities.shape, Is.EqualTo(new long[] { 0, 2 }));
        Assert.That(TensorArrays.Floats(view.ScoreAnchors(ones(1, 4)).Objectness), Is.EqualTo(new[] { 0f }));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase("batch")]
    public void Batch_IsAnsweredImageByImage_WhateverNumberTheGraphTakes(object graphBatch)
    {
        using var graph = new TeacherGraph(graphBatch).Output("scores", [1, 0], [1, 2], [-1, 1])
            .Output("boxes", [.1f, .1f, .5f, .5f], [1, 4]);
        string hint = graph.Pool();
        var options = new OnnxTeacherOptions { Preprocessing = new OnnxPreprocessing(), Hints = [hint] };
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat"], options, ["cat"]);
        float[] brightness = [.4f, .9f, .6f, .5f, .7f];
        using Tensor images = tensor(brightness).view(-1, 1, 1, 1).expand(-1, 3, 64, 64).contiguous();
        using ITeacherView view = teacher.View(images);
        using Tensor box = tensor(new[] { .1f, .1f, .5f, .5f }, [1, 4]);

        float[] answers = TensorArrays.Floats(view.ScoreBoxes([.. brightness.Select(_ => box)]).Probabilities.select(1, 1));

        Assert.That(answers, Is.EqualTo(brightness).AsCollection.Within(1e-4f));
        Assert.That(view.Feature(hint).shape, Is.EqualTo(new long[] { 5, 3, 8, 8 }));
        Assert.That(TensorArrays.Floats(view.Feature(hint).mean([1, 2, 3])), Is.EqualTo(brightness).AsCollection.Within(1e-4f));
    }

    [Test]
    public void View_RunsTheModelOnce_HoweverMuchItIsAsked()
    {
        int runs = 0;
        using var graph = new TeacherGraph().Output("any", [1], [1]);
        var options = new OnnxTeacherOptions
        {
            Decoder = _ =>
            {
                runs++;
                return new OnnxPredictions([8, 8, 40, 40], [.9f]);
            },
        };
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Custom, ["cat"], options, ["cat"]);
        using Tensor images = zeros(3, 3, 64, 64), box = ones(1, 4);
        using ITeacherView view = teacher.View(images);
        for (int i = 0; i < 3; i++)
        {
            view.ScoreBoxes([box, box, box]);
            view.ScoreAnchors(box);
        }

        Assert.That(runs, Is.EqualTo(3));
    }

    [Test]
    public void Hints_CoverTheImage_NotTheBars()
    {
        using var graph = new TeacherGraph().Output("scores", [1, 0], [1, 2]).Output("boxes", [0, 0, 1, 1], [1, 4]);
        string hint = graph.Pool();
        var options = new OnnxTeacherOptions
        {
            Preprocessing = new OnnxPreprocessing { Fit = ImageFit.LetterboxCentred, Fill = 0 },
            Hints = [hint]
        };
        using var teacher = new OnnxTeacher(graph.Save(), OnnxDetectorFormat.Ssd, ["cat"], options, ["cat"]);
        using Tensor images = ones(2, 3, 64, 64);
        using ITeacherView view = teacher.View(images, [new ImageSize(64, 32), new ImageSize(20, 64)]);

        Assert.That(teacher.Abilities.FeatureMaps, Is.EqualTo(new[] { (hint, 3) }));
        Assert.That(TensorArrays.Floats(view.Feature(hint)[0]), Is.All.EqualTo(1).Within(Near));
        // 20 of 64 columns lie within cells 2 (of which a quarter is a bar) to 5.
        Assert.That(TensorArrays.Floats(view.Feature(hint)[1, .., .., 3..5]), Is.All.EqualTo(1).Within(Near));
        Assert.That(() => view.Feature("AveragePol_1"), Throws.ArgumentException.With.Message.Contains(hint));
    }

    [Test]
    public void Size_IsTheGraphs_AndNoOther()
    {
        using var graph = SsdGraph();
        string path = graph.Save();
        var options = new OnnxTeacherOptions { Preprocessing = new OnnxPreprocessing { Width = 96 } };

        Assert.That(() => new OnnxTeacher(path, OnnxDetectorFormat.Ssd, ["cat", "dog"], options, ["cat"]),
            Throws.ArgumentException.With.Message.Contains("width 64").And.Message.Contains("96"));
    }

    /// <summary>
    /// Training shows teachers its batches where the loader made them, on the CPU; the student's tensors lie elsewhere. A device without
    /// memory stands for a GPU: nothing on it has values, but everything has a place.
    /// </summary>
    [Test]
    public void Answers_LieWhereTheStudentTrains_NotWhereTheImagesLie([Values] bool cached)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var graph = SsdGraph();
        string hint = graph.Pool(), path = graph.Save();
        var device = new Device(DeviceType.META);
        var options = new OnnxTeacherOptions { Hints = cached ? [] : [hint] };
        var teacher = new OnnxTeacher(path, OnnxDetectorFormat.Ssd, ["cat", "dog"], options, ["dog", "cat"], device);
        using ITeacher asked = cached ? new CachedOnnxTeacher(teacher, new AnswerCache(folder.Path, "x", 1 << 20)) : teacher;
        Tensor images = zeros(1, 3, 64, 64), box = tensor(new[] { .1f, .1f, .5f, .5f }, [1, 4]);
        using ITeacherView view = asked.View(images, [new ImageSize(64, 64)]);

        BoxScores scores = view.ScoreBoxes([box]);
        AnchorScores anchors = view.ScoreAnchors(box);
        EdgeScores edges = view.ScoreEdges([box]);

        List<Tensor> answers = [scores.Probabilities, scores.RefinedBoxes, scores.Known!, scores.KnownBoxes!, anchors.Objectness,
            anchors.RefinedBoxes, anchors.Known, anchors.KnownBoxes!, edges.Probabilities, edges.Places, edges.Known];
        if (!cached) answers.Add(view.Feature(hint));
        Assert.That(answers.Select(answer => answer.device.type), Is.All.EqualTo(DeviceType.META));
    }

    [Test]
    public void SizeAlone_LeavesThePresetOfTheFormatThatIsFound()
    {
        using var graph = SsdGraph();
        string path = graph.Save();
        using var detector = new PublishedDetector(path, OnnxDetectorFormat.Auto, ["cat", "dog"],
            new OnnxTeacherOptions { InputWidth = 64, InputHeight = 64 });

        OnnxPreprocessing preset = OnnxPreprocessing.For(OnnxDetectorFormat.Ssd), seen = detector.Preprocessing;
        Assert.That((seen.Scale, seen.Mean, seen.StandardDeviation), Is.EqualTo((preset.Scale, preset.Mean, preset.StandardDeviation)));
        Assert.That(seen.Mean, Is.All.EqualTo(127));
        Assert.That(detector.InputSize, Is.EqualTo(new ImageSize(64, 64)));
        Assert.That(() => new PublishedDetector(path, OnnxDetectorFormat.Auto, ["cat", "dog"], new OnnxTeacherOptions { InputHeight = 96 }),
            Throws.ArgumentException.With.Message.Contains("height 64").And.Message.Contains("96"));
        Assert.That(new OnnxTeacherOptions { InputWidth = 0 }.Validate,
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("InputWidth"));
    }

    [TestCase("{0: 'person', 1: \"dog's toy\", 2: 'it\\'s'}", "person|dog's toy|it's")]
    [TestCase("['cat', 'dog']", "cat|dog")]
    [TestCase("{\"1\": \"dog\", \"0\": \"3\"}", "3|dog")]
    [TestCase("{0: 'cat', 2: 'dog'}", null)]
    [TestCase("{0: 'cat', 0: 'dog'}", null)]
    [TestCase("none", null)]
    public void ClassNames_AreReadFromTheMetadata(string text, string? names)
    {
        Assert.That(EmbeddedClassNames.Parse(text), Is.EqualTo(names?.Split('|')));
        using var graph = SsdGraph().Metadata("names", text);
        string path = graph.Save();
        if (names is null)
            Assert.That(() => Teacher.FromOnnx(path), Throws.ArgumentException.With.Message.Contains("names of its classes"));
        else
            Assert.That(Teacher.FromOnnx(path).ClassNames, Is.EqualTo(names.Split('|')));
    }

    [Test]
    public void Gpu_IsUsedOrAClearError_UnlessTheCpuWillDo()
    {
        using var graph = SsdGraph();
        string path = graph.Save();
        var options = new OnnxTeacherOptions { GpuDeviceId = 0, FallbackToCpu = true, Threads = 1 };
        using (new OnnxTeacher(path, OnnxDetectorFormat.Auto, ["cat", "dog"], options, ["cat"])) { }

        try
        {
            using var teacher = new OnnxTeacher(path, OnnxDetectorFormat.Auto, ["cat", "dog"], options with { FallbackToCpu = false },
                ["cat"]);
        }
        catch (InvalidOperationException e)
        {
            Assert.That(e.Message, Does.Contain("GPU 0").And.Contain("Microsoft.ML.OnnxRuntime.Gpu"));
        }
    }

    [Test]
    public void WithoutAWordOnIt_TheModelRuns_WhereTheStudentTrains_OrTheCpuWithAWarning()
    {
        var options = new OnnxTeacherOptions();
        Assert.That(options.Beside(null), Is.EqualTo(options), "beside a student on the CPU: on the CPU");
        Assert.That(options.Beside(3), Is.EqualTo(options with { GpuDeviceId = 3, FallbackToCpu = true }));
        Assert.That((options with { GpuDeviceId = 1 }).Beside(3), Is.EqualTo(options with { GpuDeviceId = 1 }),
            "what was asked for stays, and is an error where it cannot be");
        Assert.That((options with { CpuOnly = true }).Beside(3).GpuDeviceId, Is.Null);
        Assert.That((options with { CpuOnly = true, GpuDeviceId = 0 }).Validate,
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("CpuOnly"));

        using var graph = SsdGraph();
        Teacher teacher = Teacher.FromOnnx(graph.Save(), OnnxDetectorFormat.Ssd, ["cat", "dog"]);
        using (ITeacher onCpu = teacher.Open(["cat", "dog"], CPU)) Assert.That(onCpu.Abilities.Caution, Is.Null);
        // Which of the two it is depends on the ONNX Runtime that is here.
        using ITeacher onGpu = teacher.Open(["cat", "dog"], new Device(DeviceType.CUDA, 0));
        Assert.That(onGpu.Abilities.Caution, Is.Null.Or.Contains("GPU 0").And.Contains("Microsoft.ML.OnnxRuntime.Gpu"));
        using Tensor images = zeros(1, 3, 64, 64);
        Assert.That(onGpu.Detect(images, [new ImageSize(64, 64)])[0].Count, Is.GreaterThan(0));
    }

    /// <summary>A dog at .1 to .5, and perhaps a cat at .6 to .9.</summary>
    private static TeacherGraph SsdGraph() => new TeacherGraph()
        .Output("scores", [.1f, .2f, .7f, .8f, .2f, 0], [2, 3])
        .Output("boxes", [.1f, .1f, .5f, .5f, .6f, .6f, .9f, .9f], [2, 4]);
}
