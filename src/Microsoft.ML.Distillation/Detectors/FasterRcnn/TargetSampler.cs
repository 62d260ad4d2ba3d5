using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>The anchors that a step's RPN losses look at; S of them in all, P of them objects.</summary>
/// <param name="ImageIndex">[S] int64, which image.</param>
/// <param name="AnchorIndex">[S] int64, which anchor.</param>
/// <param name="IsObject">[S] float, 1 or 0.</param>
/// <param name="DeltaTargets">[P,4], in the coding of <see cref="FasterRcnn.RpnCoder"/>.</param>
/// <param name="PositiveRows">[P] int64, which of the S rows the objects are.</param>
internal sealed record RpnTargets(
    Tensor ImageIndex, Tensor AnchorIndex, Tensor IsObject, Tensor DeltaTargets, Tensor PositiveRows);

/// <summary>The proposals that a step's head losses look at; R of them in all, P of them objects.</summary>
/// <param name="Boxes">For each image [R_i,4], in pixels of the input.</param>
/// <param name="Labels">[R] int64, 0 for background, class c at c + 1.</param>
/// <param name="DeltaTargets">[P,4], in the coding of <see cref="FasterRcnn.HeadCoder"/>.</param>
/// <param name="PositiveRows">[P] int64, which of the R rows the objects are.</param>
internal sealed record RoiTargets(IReadOnlyList<Tensor> Boxes, Tensor Labels, Tensor DeltaTargets, Tensor PositiveRows);

/// <summary>
/// Matches anchors and proposals to the objects of each image and draws those to learn from. Chance comes from torch's
/// default generator, one number a batch, so seeds and saved generator states hold; from that number and its place in the batch each
/// image has chance of its own, so that it does not matter which process draws for it.
/// </summary>
/// <param name="anchors">4A values, in pixels.</param>
internal sealed class TargetSampler(FasterRcnnConfig config, float[] anchors)
{
    private static readonly Matcher AnchorMatcher = new(0.7f, 0.3f, AllowLowQuality: true);
    private static readonly Matcher ProposalMatcher = new(0.5f, 0.5f, AllowLowQuality: false);

    private readonly BoxColumns _anchorColumns = BoxColumns.FromRows(anchors);
    private readonly BalancedSampler _anchorSampler = new(config.RpnBatchSize, config.RpnPositiveShare);
    private readonly BalancedSampler _proposalSampler = new(config.RoiBatchSize, config.RoiPositiveShare);

    /// <param name="objects">For each image [G_i,4], in pixels of the input.</param>
    /// <param name="first">The place of the first image in the batch, of which this process may have a part.</param>
    public RpnTargets SampleAnchors(IReadOnlyList<Tensor> objects, Device device, int first)
    {
        int chance = NextChance();
        var (images, indices, rows) = (new List<long>(), new List<long>(), new List<long>());
        var (isObject, deltas) = (new List<float>(), new List<float>());
        Span<float> delta = stackalloc float[4];
        for (int n = 0; n < objects.Count; n++)
        {
            float[] boxes = TensorArrays.Floats(objects[n]);
            int[] matches = AnchorMatcher.Match(boxes, _anchorColumns);
            (int[] positives, int[] negatives) = _anchorSampler.Sample(matches, RandomOf(chance, first + n));
            foreach (int anchor in positives)
            {
                FasterRcnn.RpnCoder.Encode(boxes.AsSpan(4 * matches[anchor], 4), anchors.AsSpan(4 * anchor, 4), delta);
                deltas.AddRange(delta);
                rows.Add(indices.Count);
                indices.Add(anchor);
                isObject.Add(1);
            }

            foreach (int anchor in negatives)
            {
                indices.Add(anchor);
                isObject.Add(0);
            }

            while (images.Count < indices.Count) images.Add(n);
        }

        return new RpnTargets(
            TensorArrays.Vector([.. images], device),
            TensorArrays.Vector([.. indices], device),
            TensorArrays.Vector([.. isObject], device),
            TensorArrays.Boxes([.. deltas], device),
            TensorArrays.Vector([.. rows], device));
    }

    /// <param name="proposals">For each image [P_i,4], in pixels; its objects are added to them.</param>
    /// <param name="objects">For each image [G_i,4], in pixels.</param>
    /// <param name="labels">For each image [G_i] class indices, 0-based without background.</param>
    /// <param name="first">The place of the first image in the batch, of which this process may have a part.</param>
    public RoiTargets SampleProposals(
        IReadOnlyList<Tensor> proposals, IReadOnlyList<Tensor> objects, IReadOnlyList<Tensor> labels, Device device, int first)
    {
        int chance = NextChance();
        var (sampled, targets, rows) = (new List<Tensor>(), new List<long>(), new List<long>());
        var deltas = new List<float>();
        Span<float> delta = stackalloc float[4];
        for (int n = 0; n < proposals.Count; n++)
        {
            float[] boxes = TensorArrays.Floats(objects[n]);
            long[] classes = TensorArrays.Integers(labels[n]);
            float[] candidates = [.. TensorArrays.Floats(proposals[n]), .. boxes];
            int[] matches = ProposalMatcher.Match(boxes, BoxColumns.FromRows(candidates));
            (int[] positives, int[] negatives) = _proposalSampler.Sample(matches, RandomOf(chance, first + n));
            var chosen = new float[4 * (positives.Length + negatives.Length)];
            int at = 0;
            foreach (int index in positives)
            {
                Span<float> box = candidates.AsSpan(4 * index, 4);
                FasterRcnn.HeadCoder.Encode(boxes.AsSpan(4 * matches[index], 4), box, delta);
                deltas.AddRange(delta);
                rows.Add(targets.Count);
                targets.Add(classes[matches[index]] + 1);
                box.CopyTo(chosen.AsSpan(4 * at++));
            }

            foreach (int index in negatives)
            {
                targets.Add(0);
                candidates.AsSpan(4 * index, 4).CopyTo(chosen.AsSpan(4 * at++));
            }

            sampled.Add(TensorArrays.Boxes(chosen, device));
        }

        return new RoiTargets(
            sampled,
            TensorArrays.Vector([.. targets], device),
            TensorArrays.Boxes([.. deltas], device),
            TensorArrays.Vector([.. rows], device));
    }

    private static int NextChance()
    {
        using Tensor number = randint(int.MaxValue, [1], ScalarType.Int64);
        return (int)number.item<long>();
    }

    /// <summary>The generator of one image: the multiplication, by 2³² over the golden ratio, sets neighbours far apart.</summary>
    private static Random RandomOf(int chance, int place) => new(unchecked(chance ^ (int)((uint)place * 0x9E3779B1)));
}
