using System.Text.Json;
using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

/// <summary>Agreement with torchvision 0.14 on values that Golden/make_golden.py wrote down.</summary>
public class TorchvisionAgreementTests
{
    private const double Tolerance = 1e-4;

    private static readonly Lazy<JsonElement> Golden = new(() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "torchvision.json"))).RootElement);

    [Test]
    public void Anchors_AreTorchvisions()
        => Assert.That(new AnchorGrid([12, 30], [0.5f, 1, 2]).Generate(8, 6, 8, 8), Is.EqualTo(Floats("anchors")).Within(Tolerance));

    [Test]
    public void BoxCoder_EncodesAndDecodes_AsTorchvision()
    {
        using var scope = NewDisposeScope();
        Tensor references = Boxes("coder", "references");
        Assert.That(TensorArrays.Floats(BoxCoder.Head.Encode(Boxes("coder", "boxes"), references)),
            Is.EqualTo(Floats("coder", "encoded")).Within(Tolerance));
        Assert.That(TensorArrays.Floats(BoxCoder.Head.Decode(Boxes("coder", "deltas"), references)),
            Is.EqualTo(Floats("coder", "decoded")).Within(1e-3));
    }

    [Test]
    public void Iou_IsTorchvisions()
    {
        using var scope = NewDisposeScope();
        Assert.That(TensorArrays.Floats(BoxOps.Iou(Boxes("coder", "boxes"), Boxes("coder", "references"))),
            Is.EqualTo(Floats("iou")).Within(Tolerance));
    }

    [Test]
    public void Nms_KeepsWhatTorchvisionKeeps()
        => Assert.That(Nms.Keep(Floats("nms", "boxes"), Floats("nms", "scores"), 0.5f), Is.EqualTo(Integers("nms", "kept")));

    [TestCase("anchors", 0.7f, 0.3f, true)]
    [TestCase("proposals", 0.5f, 0.5f, false)]
    public void Matcher_MatchesAsTorchvision(string kind, float high, float low, bool allowLowQuality)
    {
        int[] matches = new Matcher(high, low, allowLowQuality)
            .Match(Floats("matches", "truth"), BoxColumns.FromRows(Floats("nms", "boxes")));
        Assert.That(matches, Is.EqualTo(Integers("matches", kind)));
    }

    [TestCase("plain", false)]
    [TestCase("aligned", true)]
    public void RoiAlign_AgreesForwardAndBackward(string kind, bool aligned)
    {
        using var scope = NewDisposeScope();
        Tensor feature = tensor(Floats("roi_align", "feature"), [2, 3, 18, 24]).requires_grad_(true);
        Tensor regions = Boxes("roi_align", "boxes");
        Tensor pooled = new RoiAlign(5, aligned).Pool(ChannelsLast.Of(feature), [regions.narrow(0, 0, 5), regions.narrow(0, 5, 5)], 1 / 8f);
        pooled.mul(pooled).sum().backward();
        Assert.That(TensorArrays.Floats(pooled), Is.EqualTo(Floats("roi_align", kind, "pooled")).Within(Tolerance));
        Assert.That(TensorArrays.Floats(feature.grad!), Is.EqualTo(Floats("roi_align", kind, "gradient")).Within(1e-3));
    }

    [Test]
    public void RpnLosses_AreTorchvisions()
    {
        using var scope = NewDisposeScope();
        Tensor labels = tensor(Floats("rpn_loss", "labels"));
        Tensor positive = labels.nonzero().flatten();
        Tensor hard = nn.functional.binary_cross_entropy_with_logits(tensor(Floats("rpn_loss", "logits")), labels);
        Tensor box = BoxRegression.SmoothL1(
            Boxes("rpn_loss", "deltas").index_select(0, positive), Boxes("rpn_loss", "targets").index_select(0, positive), labels.shape[0]);
        Assert.That(hard.item<float>(), Is.EqualTo(Number("rpn_loss", "objectness")).Within(Tolerance));
        Assert.That(box.item<float>(), Is.EqualTo(Number("rpn_loss", "box")).Within(Tolerance));
    }

    [Test]
    public void RcnLosses_AreTorchvisions()
    {
        using var scope = NewDisposeScope();
        Tensor labels = tensor(Integers("rcn_loss", "labels").Select(l => (long)l).ToArray());
        Tensor positive = labels.nonzero().flatten();
        Tensor hard = nn.functional.cross_entropy(tensor(Floats("rcn_loss", "logits"), [40, 4]), labels);

        // Torchvision has a regressor for the background too, which no loss ever looks at.
        Tensor rows = arange(40).mul(tensor(4L)).Plus(labels).index_select(0, positive);
        Tensor deltas = tensor(Floats("rcn_loss", "deltas"), [160, 4]).index_select(0, rows);
        Tensor box = BoxRegression.SmoothL1(deltas, Boxes("rcn_loss", "targets").index_select(0, positive), labels.shape[0]);
        Assert.That(hard.item<float>(), Is.EqualTo(Number("rcn_loss", "classification")).Within(Tolerance));
        Assert.That(box.item<float>(), Is.EqualTo(Number("rcn_loss", "box")).Within(Tolerance));
    }

    private static JsonElement At(params string[] path) => path.Aggregate(Golden.Value, (element, name) => element.GetProperty(name));

    private static float[] Floats(params string[] path) => [.. At(path).EnumerateArray().Select(value => value.GetSingle())];

    private static int[] Integers(params string[] path) => [.. At(path).EnumerateArray().Select(value => value.GetInt32())];

    private static double Number(params string[] path) => At(path).GetDouble();

    private static Tensor Boxes(params string[] path) => TensorArrays.Boxes(Floats(path), CPU);
}
