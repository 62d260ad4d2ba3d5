namespace TorchSharp;

/// <summary>What this substitute says of what it leaves to the real package.</summary>
internal static class Substitute
{
    public static NotSupportedException Lacks(string what)
        => new($"This substitute of TorchSharp lacks {what}. The package TorchSharp has it.");

    /// <summary>Dimension names, which nothing here uses.</summary>
    public static void NoNames(string[]? names)
    {
        if (names is not null) throw Lacks("names of dimensions");
    }
}
