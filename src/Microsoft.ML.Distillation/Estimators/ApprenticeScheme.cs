namespace Microsoft.ML.Distillation;

/// <summary>
/// How a student of low precision and its teacher are trained: the three schemes of Mishra and Marr, Apprentice: Using Knowledge
/// Distillation Techniques To Improve Low-Precision Network Accuracy (ICLR 2018).
/// </summary>
public enum ApprenticeScheme
{
    /// <summary>
    /// Both together from scratch: the teacher keeps its architecture, starts with fresh weights, and learns from the labels while it
    /// teaches. Each has the default learning rate of its own size; a given one is the student's, and the teacher's follows in proportion.
    /// The teacher must be a detector of this library with the classes of the data.
    /// </summary>
    A,

    /// <summary>The student from scratch under the trained teacher.</summary>
    B,

    /// <summary>
    /// The student starts from a trained full-precision one (<see cref="DetectorEstimatorOptions.InitialStudent"/>) and is fine-tuned under
    /// the trained teacher at a low learning rate.
    /// </summary>
    C,
}
