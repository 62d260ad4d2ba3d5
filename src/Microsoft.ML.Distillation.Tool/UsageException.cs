namespace Microsoft.ML.Distillation.Tool;

/// <summary>The command was used wrongly, in a way that shows only when its options are seen together.</summary>
internal sealed class UsageException(string message) : Exception(message);
