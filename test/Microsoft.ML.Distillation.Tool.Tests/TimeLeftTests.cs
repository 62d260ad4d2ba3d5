using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Labelling;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class TimeLeftTests
{
    [TestCase(20, "less than a minute left")]
    [TestCase(170, "about 3 min left")]
    [TestCase(3_590, "about 1 h left")]
    [TestCase(7_850, "about 2 h 10 min left")]
    [TestCase(90_000, "about 25 h left")]
    [TestCase(260_000, "about 3 days left")]
    public void Estimates_AreInWords(double seconds, string words)
        => Assert.That(TimeLeft.Text(TimeSpan.FromSeconds(seconds)), Is.EqualTo(words));

    [Test]
    public void TheEnd_IsDone_AndTheBeginningSaysNothing()
    {
        Assert.That(new LabellingProgress(8, 8, 2).ToString(), Is.EqualTo("8 of 8 images  2.0 images/s  done"));
        Assert.That(new LabellingProgress(2, 8, 0.05).ToString(), Is.EqualTo("2 of 8 images  0.1 images/s  about 2 min left"));
        Assert.That(new LabellingProgress(0, 8, 0).ToString(), Is.EqualTo("0 of 8 images  0.0 images/s"));
        var clock = new StepClock();
        Assert.That(clock.After(40, 100), Is.Empty, "taken up again at step 40: nothing is known of its speed");
        Assert.That(clock.After(41, 100), Does.EndWith("left"));
        Assert.That(clock.After(100, 100), Is.EqualTo("done"));
    }
}
