namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// What the names in a pickle mean. A pickle can ask for any function of Python by name and call it; here it gets what a
/// vocabulary gives it, which is data made by this library's code, and nothing else.
/// </summary>
internal interface IPickleVocabulary
{
    /// <summary>What stands for the name <paramref name="module"/>.<paramref name="name"/>; a <see cref="FormatException"/> where nothing does.</summary>
    object Find(string module, string name);

    /// <summary>What the call of something found gives.</summary>
    object Call(object callee, object?[] arguments);

    /// <summary>What a reference to something outside the pickle gives.</summary>
    object Refer(object? reference);
}
