using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation;

/// <summary>A file of weights does not fit the network that they are for.</summary>
public sealed class WeightsMismatchException : Exception
{
    private const int Listed = 20;

    internal WeightsMismatchException(
        string network, string path, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> wronglyShaped)
        : base($"The weights in '{path}' do not fit "
            + $"{network}.{List("Missing", missing)}{List("Unexpected", unexpected)}{List("Wrong shape", wronglyShaped)} Parameters go by "
            + $"torchvision's names; {nameof(PretrainedWeights)}.{nameof(PretrainedWeights.FromFile)} can rename or drop those of the "
            + "file.")
    {
        Missing = missing;
        Unexpected = unexpected;
        WronglyShaped = wronglyShaped;
    }

    /// <summary>The parameters that the network has and the file has not.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>The parameters that the file has and the network has not.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>The parameters whose shapes differ, each with both shapes.</summary>
    public IReadOnlyList<string> WronglyShaped { get; }

    private static string List(string title, IReadOnlyList<string> names)
    {
        if (names.Count == 0) return "";
        string more = names.Count > Listed ? $" and {names.Count - Listed} more" : "";
        return $" {title}: {string.Join(", ", names.Take(Listed).Select(ShortText.Of))}{more}.";
    }
}
