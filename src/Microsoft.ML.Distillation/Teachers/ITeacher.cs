using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>A frozen detector, of any family and input size, that a student learns from.</summary>
internal interface ITeacher : IDisposable
{
    /// <summary>The size of image that the teacher wants to see.</summary>
    ImageSize InputSize { get; }

    /// <summary>What it can do, and what not.</summary>
    TeacherAbilities Abilities { get; }

    /// <summary>
    /// Shows the teacher a batch. Runs without gradients, in evaluation mode; what a view's questions share is computed once.
    /// </summary>
    /// <param name="batch">
    /// Holds the images at <see cref="InputSize"/>, unless the teacher answers from what it keeps
    /// (<see cref="TeacherAbilities.LooksAtBatches"/>).
    /// Of other precision than float the images are shown to networks that can compute in it; the others take them as they are.
    /// </param>
    ITeacherView View(DetectionBatch batch);

    /// <summary>What the teacher finds in images: in each its detections after suppression, best first, in the student's classes.</summary>
    /// <param name="images">[N,3,H,W] of <see cref="InputSize"/>, RGB, 0 to 1, float.</param>
    /// <param name="sizes">
    /// The N images' sizes before they were stretched to <see cref="InputSize"/>: a teacher that wants bars instead undoes that.
    /// </param>
    IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes);
}

/// <summary>What a teacher can do. Who wraps a teacher passes the whole on, with what it changes.</summary>
internal sealed record TeacherAbilities
{
    /// <summary>The feature maps that can serve as hints, in the order of depth, with their channels.</summary>
    public required IReadOnlyList<(string Name, int Channels)> FeatureMaps { get; init; }

    /// <summary>The student's classes of which the teacher knows nothing, as indices; they are learned from labels alone.</summary>
    public required IReadOnlyList<int> UnknownClasses { get; init; }

    /// <summary>The teacher's classes that the student lacks; they count as background.</summary>
    public required IReadOnlyList<string> IgnoredClasses { get; init; }

    /// <summary>The score from which on a prediction is the teacher's opinion, where nothing else says so.</summary>
    public required double ConfidentScore { get; init; }

    /// <summary>Whether its boxes' sides are distributions, so that views answer <see cref="ITeacherView.ScoreEdges"/>.</summary>
    public required bool HasBoxDistributions { get; init; }

    /// <summary>The one-stage detector whose head can be run on a student's maps; <see langword="null"/> for other teachers.</summary>
    public required OneStageDetector? CrossHead { get; init; }

    /// <summary>
    /// Whether it looks at batches, so that these must hold the images at its size; one that answers from what it keeps of whole images
    /// does not.
    /// </summary>
    public required bool LooksAtBatches { get; init; }

    /// <summary>What the user should know of how it runs; <see langword="null"/>: nothing.</summary>
    public required string? Caution { get; init; }

    /// <summary>What is found out about it while it teaches or labels; <see langword="null"/>: nothing ever is.</summary>
    public required DetectorRemarks? Remarks { get; init; }
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

    /// <summary>Where would the sides of the objects in these boxes be, and how surely?</summary>
    /// <param name="boxes">For each of the N images the boxes, [R_i,4].</param>
    /// <exception cref="NotSupportedException">
    /// The teacher has no <see cref="TeacherAbilities.HasBoxDistributions">distributions</see>.
    /// </exception>
    EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes);

    /// <summary>What <see cref="TeacherAbilities.CrossHead"/>'s own head says of the batch.</summary>
    /// <exception cref="NotSupportedException">The teacher has none.</exception>
    DenseOutput HeadAnswer { get; }
}

/// <summary>A teacher's answer for the sides of boxes; R is the sum of the R_i, images in order.</summary>
/// <param name="Probabilities">[R,4,K], of left, top, right and bottom; 0 where not known.</param>
/// <param name="Places">[R,4,K] in shares: where the K bins lie, horizontally for left and right, vertically for top and bottom.</param>
/// <param name="Known">[R] bool: boxes that the teacher has no such answer for are false.</param>
internal sealed record EdgeScores(Tensor Probabilities, Tensor Places, Tensor Known);

/// <summary>A teacher's answer for boxes; R is the sum of the R_i, images in order.</summary>
/// <param name="Probabilities">[R,C+1], background first, then the student's classes; each row sums to 1.</param>
/// <param name="RefinedBoxes">
/// [R,C,4] in shares: where the teacher would move the box were it an object of that class ([R,1,4] where it does not distinguish).
/// </param>
internal sealed record BoxScores(Tensor Probabilities, Tensor RefinedBoxes)
{
    /// <summary>
    /// Whether the probabilities say at once what is there and how well the teacher's own box sits, as the scores of detectors without a
    /// background class do: on an object they stay below 1, and what they leave is not the background's.
    /// </summary>
    public bool AreQualities { get; init; }

    /// <summary>[R] bool: boxes on whose class the teacher has no opinion are false. <see langword="null"/>: it has one on all.</summary>
    public Tensor? Known { get; init; }

    /// <summary>
    /// [R] bool: boxes that the teacher would not know where to move are false. <see langword="null"/>: it knows for all.
    /// </summary>
    public Tensor? KnownBoxes { get; init; }
}

/// <summary>A teacher's answer for anchors.</summary>
/// <param name="Objectness">[N,A], the probability of an object.</param>
/// <param name="RefinedBoxes">[N,A,4] in shares.</param>
/// <param name="Known">[N,A] bool: anchors on which the teacher has no opinion are false.</param>
internal sealed record AnchorScores(Tensor Objectness, Tensor RefinedBoxes, Tensor Known)
{
    /// <inheritdoc cref="BoxScores.AreQualities"/>
    public bool AreQualities { get; init; }

    /// <summary>
    /// [N,A] bool: anchors that the teacher would not know where to move are false. <see langword="null"/>: as <see cref="Known"/>.
    /// </summary>
    public Tensor? KnownBoxes { get; init; }
}
