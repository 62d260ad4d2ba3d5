using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Training;

public class TrainingPlanTests
{
    [TestCase(20, 200)]
    [TestCase(200, 63)]
    [TestCase(1_000, 28)]
    [TestCase(5_600, 12)]
    [TestCase(118_000, 12)]
    public void Epochs_FollowTheNumberOfImages(int images, int epochs) =>
        Assert.That(TrainingPlan.For(new TrainingOptions(), images, 1_000).Epochs, Is.EqualTo(epochs));

    [TestCase(73_000, 0.002)]
    [TestCase(4_000_000, 0.0008)]
    [TestCase(30_000_000, 0.0002)]
    public void LearningRate_FallsWithTheNetworksSize(long parameters, double rate) =>
        Assert.That(TrainingPlan.For(new TrainingOptions(), 100, parameters).LearningRate, Is.EqualTo(rate).Within(1e-5));

    [Test]
    public void Cosine_RisesOverTheWarmup_AndFallsTowardsZero()
    {
        TrainingPlan plan = Plan(LearningRateSchedule.Cosine);
        Assert.That(plan.LearningRateAt(1), Is.EqualTo(0.1).Within(1e-12));
        Assert.That(plan.LearningRateAt(10), Is.EqualTo(1));
        Assert.That(plan.LearningRateAt(11), Is.EqualTo(1));
        Assert.That(plan.LearningRateAt(56), Is.EqualTo(0.5).Within(1e-12));
        Assert.That(plan.LearningRateAt(100), Is.LessThan(0.001));
    }

    [Test]
    public void Step_FallsByTenths()
    {
        TrainingPlan plan = Plan(LearningRateSchedule.Step);
        Assert.That(plan.LearningRateAt(70), Is.EqualTo(1));
        Assert.That(plan.LearningRateAt(71), Is.EqualTo(0.1).Within(1e-12));
        Assert.That(plan.LearningRateAt(91), Is.EqualTo(0.01).Within(1e-12));
    }

    [Test]
    public void Warmup_IsAtMostATenth() =>
        Assert.That(TrainingPlan.For(new TrainingOptions { Epochs = 5 }, 40, 1_000).WarmupSteps, Is.EqualTo(5));

    [Test]
    public void OptionsOutOfRange_AreNamed()
    {
        Refuses(new TrainingOptions { Epochs = 0 }, "Epochs");
        Refuses(new TrainingOptions { BatchSize = 0 }, "BatchSize");
        Refuses(new TrainingOptions { LearningRate = double.NaN }, "LearningRate");
        Refuses(new TrainingOptions { EmaDecay = 1 }, "EmaDecay");
        Refuses(new TrainingOptions { Augmentation = new AugmentationOptions { ScaleJitter = 1 } }, "ScaleJitter");
        Assert.That(
            Assert.Throws<ArgumentOutOfRangeException>(() => new SoftClasses { LabelWeight = 2 }.Validate())!.Message,
            Does.Contain("SoftClasses.LabelWeight"));

        static void Refuses(TrainingOptions options, string name) =>
            Assert.That(Assert.Throws<ArgumentOutOfRangeException>(options.Validate)!.Message, Does.Contain(name));
    }

    private static TrainingPlan Plan(LearningRateSchedule schedule) =>
        TrainingPlan.For(new TrainingOptions { Epochs = 10, LearningRate = 1, WarmupSteps = 10, Schedule = schedule }, 40, 1_000);
}
