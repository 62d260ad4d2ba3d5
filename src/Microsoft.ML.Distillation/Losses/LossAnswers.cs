using Microsoft.ML.Distillation.Distributed;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Losses;

// What student, teacher and labels say of the same things: all that a loss may look at. The teacher's tensors have no gradient.

/// <summary>Of S sampled anchors.</summary>
/// <param name="Logits">The student's logits of there being an object [S].</param>
/// <param name="Labels">1 where there is an object, 0 where there is none [S].</param>
/// <param name="Objectness">The teacher's probabilities of an object [S].</param>
/// <param name="Known">Where the teacher has an opinion, bool [S].</param>
/// <param name="AreQualities">Whether the teacher's are scores that stay below 1 on objects too.</param>
/// <param name="Sampled">What sums over the anchors are divided by: S, or with several ranks the mean of theirs.</param>
/// <param name="Boxes">Of the anchors with an object.</param>
internal sealed record AnchorAnswers(
    Tensor Logits, Tensor Labels, Tensor Objectness, Tensor Known, bool AreQualities, double Sampled, Func<DeltaAnswers> Boxes);

/// <summary>Of R sampled proposals.</summary>
/// <param name="Logits">The student's logits [R,C+1], background first.</param>
/// <param name="Labels">0 for background, else the class + 1, int64 [R].</param>
/// <param name="Probabilities">The teacher's probabilities [R,C+1].</param>
/// <param name="Known">Where the teacher has an opinion on the class, bool [R]; <see langword="null"/>: everywhere.</param>
/// <param name="AreQualities">Whether the teacher's are scores whose sum stays below 1 on objects too.</param>
/// <param name="Sampled">What sums over the proposals are divided by: R, or with several ranks the mean of theirs.</param>
/// <param name="Ranks">The processes whose images are one batch.</param>
/// <param name="Boxes">Of the proposals with an object.</param>
internal sealed record ProposalAnswers(
    Tensor Logits, Tensor Labels, Tensor Probabilities, Tensor? Known, bool AreQualities, double Sampled, RankGroup Ranks,
    Func<DeltaAnswers> Boxes);

/// <summary>Of the P boxes with an object among N sampled ones, as deltas from anchors or proposals.</summary>
/// <param name="Student">[P,4].</param>
/// <param name="Teacher">In the same encoding [P,4].</param>
/// <param name="Known">Where the teacher would know where to move the box, bool [P]; <see langword="null"/>: everywhere.</param>
/// <param name="Targets">The encoded ground truth [P,4].</param>
/// <param name="Sampled">What sums over the boxes are divided by: N, or with several ranks the mean of theirs.</param>
/// <param name="Scale">A factor on all deltas before they are squared.</param>
internal sealed record DeltaAnswers(Tensor Student, Tensor Teacher, Tensor? Known, Tensor Targets, double Sampled, double Scale);

/// <summary>Of the A sampled locations of a one-stage student, Q of them with an object.</summary>
/// <param name="Logits">The student's class logits [A,C].</param>
/// <param name="Probabilities">The teacher's class probabilities of the boxes there, without the background's [A,C].</param>
/// <param name="Known">Where the teacher has an opinion on the class, bool [A]; <see langword="null"/>: everywhere.</param>
/// <param name="Positives">Which of the A have an object, int64 [Q].</param>
/// <param name="Qualities">Those locations' target scores from the labels [Q,C].</param>
/// <param name="QualitySum">The sum of all target scores of the batch, which losses of scores are divided by.</param>
/// <param name="Ranks">The processes whose images are one batch.</param>
/// <param name="Boxes">Of the locations with an object.</param>
/// <param name="Edges">Of those of them where the teacher has distributions; for teachers whose box sides are such.</param>
internal sealed record LocationAnswers(
    Tensor Logits, Tensor Probabilities, Tensor? Known, Tensor Positives, Tensor Qualities, double QualitySum, RankGroup Ranks,
    Func<OverlapAnswers> Boxes, Func<EdgeAnswers> Edges);

/// <summary>Of Q boxes with an object, x0 y0 x1 y1 in pixels.</summary>
/// <param name="Student">[Q,4].</param>
/// <param name="Teacher">[Q,4]; infinite where the teacher has no opinion.</param>
/// <param name="Targets">The objects [Q,4].</param>
/// <param name="Weights">The boxes' weights [Q].</param>
/// <param name="WeightSum">What the weighted sum is divided by.</param>
internal sealed record OverlapAnswers(Tensor Student, Tensor Teacher, Tensor Targets, Tensor Weights, double WeightSum);

/// <summary>Of the four sides of P boxes.</summary>
/// <param name="Logits">The student's logits of its bins [P,4,m+1].</param>
/// <param name="Probabilities">The teacher's probabilities of its bins [P,4,K].</param>
/// <param name="Places">Where the teacher's bins lie among the student's, as distances in bins [P,4,K].</param>
/// <param name="Weights">The boxes' weights: the student's best score there, without gradient [P].</param>
/// <param name="WeightSum">What the weighted sum is divided by.</param>
internal sealed record EdgeAnswers(Tensor Logits, Tensor Probabilities, Tensor Places, Tensor Weights, Tensor WeightSum);

/// <summary>Of all R locations: what the teacher's last layers say of the student's maps, and what they say of the teacher's own.</summary>
/// <param name="Logits">Class logits of the student's maps [R,C].</param>
/// <param name="Edges">Bins' logits of the student's maps [R,4,m+1].</param>
/// <param name="OwnLogits">Class logits of the teacher's maps [R,C].</param>
/// <param name="OwnEdges">Bins' logits of the teacher's maps [R,4,m+1].</param>
/// <param name="Positives">What sums over the locations are divided by: the number of those that have an object, or with several ranks the
/// mean of theirs.</param>
/// <param name="Ranks">The processes whose images are one batch.</param>
internal sealed record CrossedHeads(
    Tensor Logits, Tensor Edges, Tensor OwnLogits, Tensor OwnEdges, double Positives, RankGroup Ranks);

/// <summary>One named term of a training loss. The total is the sum of weight times value over the terms.</summary>
/// <param name="Name">What the term is called in logs: the part, the question, and the kind, as in <c>rcn.class.soft</c>.</param>
/// <param name="Value">The unweighted loss, a scalar with a gradient.</param>
/// <param name="Weight">The factor with which it enters the total.</param>
internal readonly record struct LossTerm(string Name, Tensor Value, double Weight);
