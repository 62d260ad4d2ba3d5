using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// Objects of the student's classes that the teacher lacks. The teacher sees background there, or something else; near them only the
/// labels teach.
/// </summary>
/// <param name="classes">The classes, as indices.</param>
internal sealed class UnknownObjects(IReadOnlyCollection<int> classes)
{
    /// <summary>The overlap (IoU) with such an object from which on a box is near it; the boxes that overlap it most always are.</summary>
    private const double LeastOverlap = 0.3;

    /// <summary>
    /// For each of the boxes, images in order, whether it is away from all such objects [R] bool; <see langword="null"/> where there are none.
    /// </summary>
    /// <param name="annotations">The objects of the N images.</param>
    /// <param name="boxes">For each image boxes in shares [R_i,4].</param>
    public Tensor? AwayFrom(IReadOnlyList<Annotation> annotations, IReadOnlyList<Tensor> boxes)
    {
        if (classes.Count == 0 || !annotations.Any(image => image.Labels.Any(classes.Contains))) return null;
        using var scope = NewDisposeScope();
        return cat([.. annotations.Zip(boxes, AwayFrom)]).MoveToOuterDisposeScope();
    }

    /// <summary>For each class index [Q] whether the teacher knows the class, [Q] bool.</summary>
    public Tensor AreKnown(Tensor labels)
    {
        bool[] known = [.. TensorArrays.Integers(labels).Select(label => !classes.Contains((int)label))];
        return known.Length == 0 ? zeros([0], ScalarType.Bool, labels.device) : tensor(known, device: labels.device);
    }

    private Tensor AwayFrom(Annotation annotation, Tensor boxes)
    {
        float[] objects = [.. Enumerable.Range(0, annotation.Count).Where(i => classes.Contains(annotation.Labels[i]))
            .SelectMany(i => annotation.Boxes[(4 * i)..(4 * i + 4)])];
        if (objects.Length == 0 || boxes.shape[0] == 0) return ones(boxes.shape[0], ScalarType.Bool, boxes.device);
        using Scalar least = LeastOverlap;
        using Scalar zero = 0;
        Tensor iou = BoxOps.Iou(boxes, TensorArrays.Boxes(objects, boxes.device));
        // The anchors that overlap an object most are its own, however little that is.
        Tensor most = iou.ge(iou.amax([0], keepdim: true)).logical_and(iou.gt(zero));
        return iou.ge(least).logical_or(most).any(1).logical_not();
    }
}
