using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>A frozen detector, of any family and input size, that a student learns from.</summary>
internal interface ITeacher : IDisposable
{
    /// <summary>The size of image that the teacher wants to see.</summary>
    ImageSize InputSize { get; }

    /// <summary>The feature maps that can serve as hints, in the order of depth, with their channels.</summary>
    IReadOnlyList<(string Name, int Channels)> FeatureMaps { get; }

    /// <summary>
    /// Shows the teacher a batch. Runs without gradients, in evaluation mode; what a view's questions share is computed once.
    /// </summary>
    /// <param name="images">[N,3,H,W] of <see cref="InputSize"/>, RGB, 0 to 1; float, or bfloat16 (see <see cref="ComputesInBFloat16"/>).</param>
    ITeacherView View(Tensor images);

    /// <inheritdoc cref="View(Tensor)"/>
    /// <param name="sizes">The N images' sizes before they were stretched to <see cref="InputSize"/>: a teacher that wants bars instead undoes that.</param>
    ITeacherView View(Tensor images, IReadOnlyList<ImageSize> sizes) => View(images);

    /// <summary>What the teacher finds in a batch: in each image its detections after suppression, best first, in the student's classes.</summary>
    /// <inheritdoc cref="View(Tensor, IReadOnlyList{ImageSize})"/>
    IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
        => throw new NotSupportedException($"A teacher of the kind {GetType().Name} cannot label images.");

    /// <summary>The score from which on a detection is the teacher's opinion, where nothing else says so.</summary>
    double ConfidentScore => 0.5;

    /// <summary>The student's classes of which the teacher knows nothing, as indices; they are learned from labels alone.</summary>
    IReadOnlyList<int> UnknownClasses => [];

    /// <summary>The teacher's classes that the student lacks; they count as background.</summary>
    IReadOnlyList<string> IgnoredClasses => [];

    /// <summary>Whether it computes in bfloat16 where the images it is shown are of that type; others take single precision alone.</summary>
    bool ComputesInBFloat16 => false;

    /// <summary>What the user should know of how it runs; <see langword="null"/>: nothing.</summary>
    string? Caution => null;

    /// <summary>Whether its boxes' sides are distributions, so that views answer <see cref="ITeacherView.ScoreEdges"/>.</summary>
    bool HasEdges => false;

    /// <summary>The one-stage detector whose head can be run on a student's maps; <see langword="null"/> for other teachers.</summary>
    OneStageDetector? CrossHead => null;
}

/// <summary>
/// What a teacher knows of one batch. Boxes cross this border as shares of the image (x0 y0 x1 y1, 0 to 1), classes in the
/// student's order, so that neither input sizes nor class lists have to agree.
/// </summary>
internal interface ITeacherView : IDisposable
{
    /// <summary>What are your features? The named map, [N,C,h,w].</summary>
    Tensor Feature(string name);

    /// <summary>How would you score these boxes? For the student's sampled proposals.</summary>
    /// <param name="boxes">For each of the N images the boxes to score, [R_i,4].</param>
    BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes);

    /// <summary>How would you score these anchors?</summary>
    /// <param name="anchors">The student's anchors, [A,4], the same for every image.</param>
    AnchorScores ScoreAnchors(Tensor anchors);

    /// <summary>Where would the sides of the objects in these boxes be, and how surely? For teachers with <see cref="ITeacher.HasEdges"/>.</summary>
    /// <param name="boxes">For each of the N images the boxes, [R_i,4].</param>
    EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => throw new NotSupportedException("The teacher's boxes are no distributions.");

    /// <summary>What <see cref="ITeacher.CrossHead"/>'s own head says of the batch.</summary>
    DenseOutput HeadAnswer => throw new NotSupportedException("The teacher has no head that could be run on other maps.");
}

/// <summary>A teacher's answer for the sides of boxes; R is the sum of the R_i, images in order.</summary>
/// <param name="Probabilities">[R,4,K], of left, top, right and bottom; 0 where not known.</param>
/// <param name="Places">[R,4,K] in shares: where the K bins lie, horizontally for left and right, vertically for top and bottom.</param>
/// <param name="Known">[R] bool: boxes that the teacher has no such answer for are false.</param>
internal sealed record EdgeScores(Tensor Probabilities, Tensor Places, Tensor Known);

/// <summary>A teacher's answer for boxes; R is the sum of the R_i, images in order.</summary>
/// <param name="Probabilities">[R,C+1], background first, then the student's classes; each row sums to 1.</param>
/// <param name="RefinedBoxes">[R,C,4] in shares: where the teacher would move the box were it an object of that class ([R,1,4] where it does not distinguish).</param>
internal sealed record BoxScores(Tensor Probabilities, Tensor RefinedBoxes)
{
    /// <summary>[R] bool: boxes on whose class the teacher has no opinion are false. <see langword="null"/>: it has one on all.</summary>
    public Tensor? Known { get; init; }

    /// <summary>[R] bool: boxes that the teacher would not know where to move are false. <see langword="null"/>: it knows for all.</summary>
    public Tensor? KnownBoxes { get; init; }
}

/// <summary>A teacher's answer for anchors.</summary>
/// <param name="Objectness">[N,A], the probability of an object.</param>
/// <param name="RefinedBoxes">[N,A,4] in shares.</param>
/// <param name="Known">[N,A] bool: anchors on which the teacher has no opinion are false.</param>
internal sealed record AnchorScores(Tensor Objectness, Tensor RefinedBoxes, Tensor Known)
{
    /// <summary>[N,A] bool: anchors that the teacher would not know where to move are false. <see langword="null"/>: as <see cref="Known"/>.</summary>
    public Tensor? KnownBoxes { get; init; }
}
