using Microsoft.ML.Distillation.Detectors;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// The names of the columns that exist only inside a fitted detector. The network's inputs and outputs carry them there, for
/// ML.NET binds a network by its names, and a user's own columns may well be called "boxes" or "size".
/// </summary>
internal static class PrivateColumns
{
    /// <summary>What every private name begins with.</summary>
    public const string Prefix = "ml_distillation.";

    public const string Image = Prefix + "image";
    public const string Pixels = Prefix + DetectorGraph.Pixels;
    public const string Size = Prefix + DetectorGraph.Size;
    public const string Boxes = Prefix + DetectorGraph.Boxes;
    public const string Scores = Prefix + DetectorGraph.Scores;
    public const string Classes = Prefix + DetectorGraph.Classes;
    public const string ClassName = Prefix + "name";

    /// <summary>The private name of a network's input or output.</summary>
    public static string Of(string name) => Prefix + name;

    /// <summary>The network's own name again.</summary>
    public static string Original(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
}
