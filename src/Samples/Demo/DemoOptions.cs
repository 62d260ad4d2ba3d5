using System.Globalization;

namespace Microsoft.ML.Distillation.Samples.Demo;

/// <summary>What the demo was asked to do.</summary>
/// <param name="Data">A data set in Pascal VOC's format; null to draw one.</param>
/// <param name="Output">Where to put what is made.</param>
/// <param name="Seed">The seed of all that is random.</param>
/// <param name="Epochs">How often each training sees every image; null for the demo's own numbers.</param>
/// <param name="Draw">A folder to draw the data set into, and nothing else; null to tell the whole story.</param>
internal sealed record DemoOptions(string? Data, string Output, int Seed, int? Epochs, string? Draw)
{
    /// <summary>How to call the demo.</summary>
    public const string Usage = "usage: demo [--data DIR] [--output DIR] [--seed N] [--epochs N] | demo --draw DIR [--seed N]";

    /// <summary>Reads the command line; null where it is wrong.</summary>
    public static DemoOptions? Parse(string[] args)
    {
        var options = new DemoOptions(null, Path.Combine("artifacts", "demo"), 1, null, null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            bool isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
            switch (args[i])
            {
                case "--data" when value is not null: options = options with { Data = value }; break;
                case "--output" when value is not null: options = options with { Output = value }; break;
                case "--draw" when value is not null: options = options with { Draw = value }; break;
                case "--seed" when isNumber: options = options with { Seed = number }; break;
                case "--epochs" when isNumber && number > 0: options = options with { Epochs = number }; break;
                default: return null;
            }
        }

        return options is { Draw: not null, Data: not null } ? null : options;
    }
}
