using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class IgnoreRegionsTests
{
    private static readonly Annotation Both = new([.1f, .1f, .3f, .3f, .6f, .6f, .9f, .9f], [0, 1]);

    [Test]
    public void BoxesNearAnUnknownClass_AreMarked_AndNoOthers()
    {
        using Tensor boxes = tensor(new[] { .1f, .1f, .3f, .3f, .6f, .6f, .9f, .9f, .55f, .6f, .85f, .9f, .8f, .8f, 1, 1 }, [4, 4]);
        using Tensor none = zeros(0, 4);
        using Tensor away = new IgnoreRegions([1]).AwayFrom([Both, Annotation.Empty, Both], [boxes, boxes, none])!;

        Assert.That(away.data<bool>().ToArray(), Is.EqualTo(new[] { true, false, false, true, true, true, true, true }));
    }

    [Test]
    public void NothingIsMarked_WhereTheTeacherKnowsAll()
    {
        using Tensor boxes = zeros(1, 4);
        Assert.That(new IgnoreRegions([]).AwayFrom([Both], [boxes]), Is.Null);
        Assert.That(new IgnoreRegions([2]).AwayFrom([Both], [boxes]), Is.Null);
    }
}
