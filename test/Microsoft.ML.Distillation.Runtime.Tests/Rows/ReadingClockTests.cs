using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Rows;

public class ReadingClockTests
{
    [TestCase(12, 12, .1, new string[0], TestName = "{m}: short")]
    [TestCase(1_500, 1_500, .01, new[] { "Looked at 200 of 1,500 images of the data, less than a minute left",
        "Looked at 1,200 of 1,500 images of the data, less than a minute left" }, TestName = "{m}: thousands")]
    [TestCase(15, 150, 1, new[] { "Looked at 2 of 150 images of the data, about 2 min left",
        "Looked at 12 of 150 images of the data, about 2 min left" }, TestName = "{m}: slow")]
    [TestCase(15, null, 1, new[] { "Looked at 2 images of the data", "Looked at 12 images of the data" }, TestName = "{m}: unknown")]
    public void LongReading_SaysHowFarItIs_AndHowLongItTakes(int done, int? total, double seconds, string[] said)
    {
        var (time, lines) = (new ToldTime(), new List<string>());
        var clock = new ReadingClock(lines.Add, "the data", total, time);
        for (int i = 0; i < done; i++)
        {
            time.Pass(seconds);
            clock.Tick();
        }

        Assert.That(lines, Is.EqualTo(said));
    }
}
