using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation;

/// <summary>
/// How many bits a network's layers compute with: <c>LowPrecision.W4A8</c> has weights of 4 bits and inputs of 8. The network learns with
/// rounded numbers while full-precision weights behind them collect the gradients (straight-through; Bengio et al. 2013).
/// </summary>
public sealed partial record LowPrecision
{
    /// <summary>Describes a precision.</summary>
    /// <param name="weightBits">The bits of a weight: 8, 4 or 2. With 2 bits weights are ternary: −1, 0 or 1 times a factor for each output
    /// channel.</param>
    /// <param name="activationBits">The bits of a layer's input: 8, or 32 to leave it as it is.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is none of these.</exception>
    [JsonConstructor]
    public LowPrecision(int weightBits, int activationBits = 32)
    {
        if (weightBits is not (8 or 4 or 2)) throw new ArgumentOutOfRangeException(nameof(weightBits), weightBits,
            "Weights have 8, 4 or 2 bits.");
        if (activationBits is not (8 or 32)) throw new ArgumentOutOfRangeException(nameof(activationBits), activationBits,
            "Activations have 8 or 32 bits.");
        (WeightBits, ActivationBits) = (weightBits, activationBits);
    }

    /// <summary>Weights and inputs of 8 bits.</summary>
    public static LowPrecision W8A8 { get; } = new(8, 8);

    /// <summary>Weights of 4 bits, inputs of 8.</summary>
    public static LowPrecision W4A8 { get; } = new(4, 8);

    /// <summary>Ternary weights, inputs of 8 bits.</summary>
    public static LowPrecision W2A8 { get; } = new(2, 8);

    /// <summary>Ternary weights, inputs in full precision.</summary>
    public static LowPrecision W2 { get; } = new(2);

    /// <summary>The bits of a weight.</summary>
    public int WeightBits { get; }

    /// <summary>The bits of a layer's input; 32 is full precision.</summary>
    public int ActivationBits { get; }

    /// <summary>How numbers are rounded. Weights of 2 bits are ternary with either.</summary>
    public QuantizerKind Quantizer { get; init; } = QuantizerKind.PerChannel;

    /// <summary>
    /// Whether the first convolution and the last layers, which predict classes and boxes, are of low precision too. They hold few
    /// weights and suffer most, so by default they stay in full precision (Mishra and Marr 2018).
    /// </summary>
    public bool FirstAndLastLayers { get; init; }

    /// <summary>Reads a short name: <c>w8a8</c>, <c>w4a8</c>, <c>w2a8</c>, or without inputs <c>w8</c>, <c>w4</c>, <c>w2</c>.</summary>
    /// <exception cref="FormatException">The text is no such name.</exception>
    public static LowPrecision Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Match match = ShortName().Match(name);
        if (!match.Success) throw new FormatException($"A precision is w8a8, w4a8, w2a8, w8, w4 or w2, not '{name}'.");
        return new LowPrecision(
            int.Parse(match.Groups["weights"].ValueSpan, CultureInfo.InvariantCulture),
            match.Groups["inputs"].Success ? int.Parse(match.Groups["inputs"].ValueSpan, CultureInfo.InvariantCulture) : 32);
    }

    /// <summary>The short name, with what differs from the default behind it.</summary>
    public override string ToString()
        => $"w{WeightBits}{(ActivationBits == 32 ? "" : $"a{ActivationBits}")}"
        + (Quantizer == QuantizerKind.Wrpn ? ", WRPN" : "") + (FirstAndLastLayers ? ", all layers" : "");

    /// <summary>The precision as JSON.</summary>
    internal string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no such precision.</exception>
    internal static LowPrecision FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<LowPrecision>(json) ?? throw new FormatException("The model's precision is empty.");
        }
        catch (Exception e) when (e is JsonException or ArgumentOutOfRangeException)
        {
            throw new FormatException($"The model's precision cannot be read: {e.Message}", e);
        }
    }

    [GeneratedRegex("^w(?<weights>[842])(a(?<inputs>8|32))?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex ShortName();
}

/// <summary>How numbers are rounded to few bits.</summary>
public enum QuantizerKind
{
    /// <summary>
    /// Weights in steps of their output channel's largest magnitude (symmetric), inputs in steps of the range that they have shown.
    /// Fits any network, trained or not.
    /// </summary>
    PerChannel,

    /// <summary>
    /// WRPN's (Mishra et al. 2018, used by Apprentice, Mishra and Marr 2018): weights are limited to −1 to 1, inputs to 0 to 1 (to
    /// −1 to 1 where they go below 0), with the same steps everywhere. For networks that learn with it from the start.
    /// </summary>
    Wrpn,
}
