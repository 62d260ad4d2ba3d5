using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Published;

/// <summary>Models of other tasks are refused by what they are; class names that cannot be read are said to be so.</summary>
public class OtherTaskTests
{
    private const int Cells = 84;

    [TestCase("obb", "oriented")]
    [TestCase("segment", "segmentation")]
    [TestCase("pose", "poses")]
    [TestCase("classify", "classification")]
    public void ByTheTask_OfItsMetadata(string task, string said)
    {
        using TeacherGraph graph = new TeacherGraph().Metadata("task", task).Output("output0", new float[6 * Cells], [6, Cells]);

        Assert.That(() => graph.Load(OnnxDetectorFormat.YoloV8, 2), Throws.TypeOf<FormatException>()
            .With.Message.Contains(said).And.Message.Contains($"task: {task}"));
        OnnxModelInspection inspection = OnnxModelInspection.Of(graph.Save());
        Assert.That(inspection.OtherTask, Does.Contain(said));
        Assert.That(inspection.GuessFormats(), Is.Empty);
        // Whoever describes the outputs knows what they are.
        var layout = new OnnxDetectorLayout { Boxes = new() { Transposed = true }, Classes = new(4) { Transposed = true } };
        Assert.That(graph.Load(OnnxDetectorFormat.Auto, 2, new OnnxDetectorOptions { Layout = layout }).Format,
            Is.EqualTo(OnnxDetectorFormat.Layout));
    }

    [Test]
    public void Detection_IsATask()
    {
        using TeacherGraph graph = new TeacherGraph().Metadata("task", "detect").Output("output0", new float[6 * Cells], [6, Cells]);

        Assert.That(graph.Load(OnnxDetectorFormat.Auto, 2).Format, Is.EqualTo(OnnxDetectorFormat.YoloV8));
    }

    [TestCase(2, TestName = "Oriented rows of two classes look like YOLOv5's")]
    [TestCase(3, TestName = "Oriented rows of three classes look like YOLOv8's")]
    public void ByRows_ThatHaveAWholeNumber_AndAnAngle(int classes)
    {
        var rows = new float[300 * 7];
        float[] found = [18, 18, 24, 24, .9f, 0, .3f, 50, 35, 20, 30, .8f, 1, -.7f];
        found.CopyTo(rows, 0);
        using TeacherGraph graph = new TeacherGraph().Output("output0", rows, [300, 7]);

        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, classes), Throws.TypeOf<FormatException>().With.Message.Contains("oriented"));
    }

    [TestCase(5 + 2, "oriented")]
    [TestCase(4 + 2 + 51, "17 of them")]
    public void ByItsColumns_WhereNothingFits(int columns, string said)
    {
        using TeacherGraph graph = new TeacherGraph().Output("output0", new float[columns * Cells], [columns, Cells]);

        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, 2), Throws.TypeOf<FormatException>().With.Message.Contains(said));
    }

    [Test]
    public void ByItsMasks([Values] bool rows)
    {
        using var graph = new TeacherGraph();
        if (rows)
        {
            graph.Output("dets", new float[40], [10, 4]).Output("labels", new float[30], [10, 3])
                .Output("masks", new float[640], [10, 8, 8]);
        }
        else
        {
            graph.Output("output0", new float[(4 + 2 + 32) * Cells], [4 + 2 + 32, Cells]).Output("output1", new float[32 * 64], [32, 8, 8]);
        }

        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, 2), Throws.TypeOf<FormatException>().With.Message.Contains("segmentation"));
    }

    /// <summary>MMRotate's: centre, size, angle and score.</summary>
    [Test]
    public void ByDetections_OfSixNumbers()
    {
        using var graph = new TeacherGraph();
        graph.Output("dets", new float[12], [2, 6]).IntegersPerImage("labels", [0, 1], 2);

        Assert.That(() => graph.Load(OnnxDetectorFormat.Auto, 2), Throws.TypeOf<FormatException>().With.Message.Contains("oriented"));
    }

    [TestCase("{0: 'square', 0: 'disc'}", "class 0 is there twice")]
    [TestCase("{0: 'square', 2: 'disc'}", "class 1 is missing")]
    [TestCase("{0: 'square', 1: ''}", "class 1 has an empty name")]
    [TestCase("{'a': 'square'}", "has no number")]
    [TestCase("square, disc", "neither a dictionary")]
    [TestCase("{\"names\": [\"square\"]}", "has no number")]
    [TestCase("[[1, 2]]", "is no name")]
    [TestCase("{}", "it holds no name")]
    [TestCase("", "neither a dictionary")]
    public void NamesThatCannotBeRead_SayWhy(string names, string why)
    {
        using TeacherGraph graph = new TeacherGraph().Metadata("names", names).Output("output0", new float[6 * Cells], [6, Cells]);
        string path = graph.Save();

        Assert.That(OnnxModelInspection.ClassNamesIn(path), Is.Null);
        Assert.That(OnnxModelInspection.ClassNamesProblemIn(path), Does.Contain(why));
        Assert.That(() => ObjectDetector.Load(path), Throws.ArgumentException.With.Message.Contains(why)
            .And.Message.Contains("ClassNames"));
        using ObjectDetector named = ObjectDetector.Load(path, new ObjectDetectorOptions { ClassNames = ["a", "b"] });
        Assert.That(named.ClassNames, Is.EqualTo(new[] { "a", "b" }));
    }

    [TestCase("{0: 7, 1: person}", "7|person")]
    [TestCase(" [ 'a' , \"b\" ] ", "a|b")]
    public void NamesThatCanBeRead_Are(string names, string expected)
        => Assert.That(EmbeddedClassNames.Parse(names), Is.EqualTo(expected.Split('|')));

    /// <summary>A text that never closes costs no more than its length.</summary>
    [TestCase("['a', 'b", "\\")]
    [TestCase("{0: 'b", "\\\\'")]
    [TestCase("[", "'")]
    [TestCase("[", "\"'")]
    [TestCase("[", "a ")]
    public void NamesWithoutAnEnd_AreRefusedAtOnce(string start, string repeated)
    {
        string text = start + string.Concat(Enumerable.Repeat(repeated, 50_000)) + (start[0] == '[' ? "]" : "}");
        Task<IReadOnlyList<string>?> reading = Task.Run(() => EmbeddedClassNames.Parse(text));
        Assert.That(reading.Wait(TimeSpan.FromSeconds(20)), "it goes on and on");
    }

    [Test]
    public void NamesThatAreThereTwice_DecideNothing()
    {
        using TeacherGraph graph = new TeacherGraph().Metadata("names", "['a', 'b']").Metadata("names", "['c', 'd']")
            .Output("output0", new float[6 * Cells], [6, Cells]);

        Assert.That(() => ObjectDetector.Load(graph.Save()), Throws.ArgumentException.With.Message.Contains("2 times"));
    }

    /// <summary>Of a detector with too few names the labels beyond them are nobody's.</summary>
    [TestCase("['square']")]
    public void TooFewNames_AreNoFault(string names)
    {
        using TeacherGraph graph = new TeacherGraph().Metadata("names", names)
            .Output("dets", [8, 28, 40, 44, .7f, 8, 28, 40, 44, .6f], [2, 5]).IntegersPerImage("labels", [7, 0], 2);
        using ObjectDetector detector = ObjectDetector.Load(graph.Save());

        Assert.That(detector.Detect(new byte[3 * 64 * 64], 64, 64).Select(one => one.Label), Is.EqualTo(new[] { "square" }));
    }
}
