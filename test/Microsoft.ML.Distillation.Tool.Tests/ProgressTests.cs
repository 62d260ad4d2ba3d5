using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class ProgressTests
{
    [Test]
    public void WorkOverTwoSeconds_SaysHowFarItIs_AndHowLongItTakes()
    {
        Assert.That(Lines(12, seconds: .1), Is.Empty, "done before anybody wonders");
        Assert.That(Lines(60, seconds: 1), Is.EqualTo(new[]
        {
            "look: 2 of 60 images  about 1 min left", "look: 12 of 60 images  less than a minute left",
            "look: 22 of 60 images  less than a minute left", "look: 32 of 60 images  less than a minute left",
            "look: 42 of 60 images  less than a minute left", "look: 52 of 60 images  less than a minute left",
        }));
        Assert.That(Lines(15, seconds: 1, isCounted: false), Is.EqualTo(new[] { "look: 2 images so far", "look: 12 images so far" }));

        static string[] Lines(int count, double seconds, bool isCounted = true)
        {
            var (clock, output) = (new ToldTime(), new StringWriter());
            foreach (int _ in WorkProgress.Over(Enumerable.Range(0, count), isCounted ? count : null, "look", "images", output, clock))
                clock.Pass(seconds);
            return LinesOf(output);
        }
    }

    [Test]
    public void LongEpochs_SayTheirSteps_AndShortOnesDoNot()
    {
        var (clock, output) = (new ToldTime(), new StringWriter());
        new TrainingDisplay(output, isTerminal: false, clock).Show("train", progress =>
        {
            for (int step = 0; step <= 80; step++)
            {
                progress.Report(At(step, 80, epochEnd: step is 40 or 80));
                clock.Pass(1);
            }

            return 0;
        });
        Assert.That(LinesOf(output).Select(line => line.Split("  ")[0] + "|" + line.Split("  ")[^1]), Is.EqualTo(new[]
        {
            "train: step 2 of 80|about 1 min left", "train: step 32 of 80|less than a minute left",
            "train: epoch 1/2|less than a minute left", "train: step 70 of 80|less than a minute left", "train: epoch 2/2|done",
        }));
    }

    /// <summary>Only who knows how many images there are can say how long reading them takes.</summary>
    [Test]
    public void TrainingData_KnowTheirNumber()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Path, seed: 1, [("train", 5), ("val", 2)]);
        var session = new TrainingSession(new MLContext(), new DataFolder(folder.Path), "train", "val", heldBack: null,
            new TrainingDisplay(TextWriter.Null, isTerminal: false), TextWriter.Null);
        Assert.That((session.Train.GetRowCount(), session.Validation!.GetRowCount()), Is.EqualTo((5, 2)));
    }

    /// <summary>As TensorBoard, and whoever looks after a kill, finds them.</summary>
    [Test]
    public void Events_AreInTheFile_AsSoonAsTheirEpochHasEnded()
    {
        using var folder = new TemporaryFolder();
        var log = new EpochLog(folder.Sub("metrics"), folder.Sub("events"), new Nobody());
        var sizes = new List<long>();
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            log.Report(At(10 * epoch, 30, epochEnd: true) with { ValidationAveragePrecision = .5 });
            byte[] events = File.ReadAllBytes(Directory.GetFiles(folder.Sub("events")).Single());
            Assert.That(Steps(events), Is.EqualTo(Enumerable.Range(1, epoch).Select(i => 10L * i)), "each step's AP");
            sizes.Add(events.Length);
        }

        Assert.That(sizes, Is.Ordered.And.Unique);
    }

    private static TrainingProgress At(int step, int steps, bool epochEnd) => new()
    {
        Epoch = 1 + 2 * (step - 1) / steps,
        Epochs = 2,
        Step = step,
        Steps = steps,
        EpochEnd = epochEnd,
        LearningRate = .1,
        Losses = new Dictionary<string, double> { ["class"] = 1 },
        ImagesPerSecond = 8,
    };

    private static string[] LinesOf(StringWriter output)
        => output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The steps of the records of AP in a file of events: each a length, its check, an event and its check.</summary>
    private static long[] Steps(byte[] file)
    {
        var steps = new List<long>();
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BitConverter.ToInt64(file, at);
            var record = Tensorboard.Event.Parser.ParseFrom(file, at + 12, length);
            if (record.Summary?.Value.Any(value => value.Tag == "ap" && value.SimpleValue == .5f) == true) steps.Add(record.Step);
            at += length + 16;
        }

        return [.. steps];
    }

    private sealed class Nobody : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
        }
    }
}
