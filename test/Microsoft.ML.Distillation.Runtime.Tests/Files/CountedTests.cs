using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tests.Files;

public class CountedTests
{
    [TestCase(0, "epoch", "0 epochs")]
    [TestCase(1, "epoch", "1 epoch")]
    [TestCase(2, "class", "2 classes")]
    [TestCase(1, "class", "1 class")]
    [TestCase(12, "box", "12 boxes")]
    public void OneIsOne_AndOthersAreMany(int count, string noun, string said) => Assert.That(Counted.Of(count, noun), Is.EqualTo(said));
}
