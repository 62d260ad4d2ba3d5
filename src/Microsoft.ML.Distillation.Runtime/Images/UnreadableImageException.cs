namespace Microsoft.ML.Distillation;

/// <summary>A file is no image that can be read, or not all of one. The message names it.</summary>
public sealed class UnreadableImageException : FormatException
{
    /// <summary>The problem of a file of another kind.</summary>
    internal const string NoImage = "this is no image that can be read";

    /// <summary>The problem of a file that breaks off. Decoders fill up the rest of such a picture.</summary>
    internal const string EndsEarly = "the file ends before the image does";

    /// <summary>The problem of a file whose content breaks the rules of its kind.</summary>
    internal const string Broken = "its pixels are broken";

    /// <param name="name">The file's name.</param>
    /// <param name="problem">What is wrong with it.</param>
    internal UnreadableImageException(string name, string problem)
        : base(problem switch
        {
            NoImage => $"'{name}' is no image that can be read.",
            EndsEarly or Broken => $"'{name}' is no whole image: {problem}.",
            _ => $"'{name}' cannot be read as an image: {problem}.",
        })
        => Problem = problem;

    /// <summary>What is wrong, without the file's name.</summary>
    public string Problem { get; }
}
