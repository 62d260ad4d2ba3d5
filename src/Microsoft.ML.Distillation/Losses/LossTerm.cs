using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Losses;

/// <summary>One named term of a training loss. The total is the sum of weight times value over the terms.</summary>
/// <param name="Name">What the term is called in logs: the part, the question, and the kind, as in <c>rcn.class.soft</c>.</param>
/// <param name="Value">The unweighted loss, a scalar with a gradient.</param>
/// <param name="Weight">The factor with which it enters the total.</param>
internal readonly record struct LossTerm(string Name, Tensor Value, double Weight);
