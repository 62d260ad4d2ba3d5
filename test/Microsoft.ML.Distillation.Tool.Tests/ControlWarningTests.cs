using Microsoft.ML.Distillation.Tool.Display;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class ControlWarningTests
{
    [Test]
    public void AStudentThatIsWorseThanItsControl_IsNotPassedOver()
    {
        Assert.That(ControlWarning.Of("student distilled", "student alone", [(0.312, 0.3305)]),
            Is.EqualTo("warning: the student distilled has AP 31.2 %, the student alone 33.1 %: the teacher cost 1.9 points of AP.").Or
                .EqualTo("warning: the student distilled has AP 31.2 %, the student alone 33.0 %: the teacher cost 1.8 points of AP."));
        Assert.That(ControlWarning.Of("a", "b", [(0.4, 0.3), (0.1, 0.3)]),
            Does.Contain("AP 25.0 %, the b 30.0 %, in the mean of 2 seeds").And.Contain("cost 5.0 points of AP"));
        Assert.That(ControlWarning.Of("a", "b", [(0.4, 0.3)]), Is.Null);
        Assert.That(ControlWarning.Of("a", "b", [(0.3, 0.3)]), Is.Null);
        Assert.That(ControlWarning.Of("a", "b", [(double.NaN, 0.3)]), Is.Null, "without ground truth there are no figures");
    }
}
