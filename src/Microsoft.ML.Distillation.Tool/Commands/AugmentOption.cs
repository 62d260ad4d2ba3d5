using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>--augment NAME=X</c>: how training images are varied, by short names.</summary>
internal static class AugmentOption
{
    private static readonly Variation[] All =
    [
        new("flip", "mirrors half of the images", 1, true, (options, value) => options with { HorizontalFlip = value == 1 },
            options => options.HorizontalFlip ? 1 : 0),
        new("vflip", "turns half of them upside down", 1, true, (options, value) => options with { VerticalFlip = value == 1 },
            options => options.VerticalFlip ? 1 : 0),
        new("turns", "turns them by quarters, for objects without an up and a down", 1, true,
            (options, value) => options with { QuarterTurns = value == 1 }, options => options.QuarterTurns ? 1 : 0),
        new("scale", "zooms by 1 ± X", 0.99f, false, (options, value) => options with { ScaleJitter = value },
            options => options.ScaleJitter),
        new("stretch", "makes them wider or higher by up to 1 + X", 1, false,
            (options, value) => options with { StretchJitter = value }, options => options.StretchJitter),
        new("color", "brightness, contrast and saturation by 1 ± X", 1, false, (options, value) => options with { ColorJitter = value },
            options => options.ColorJitter),
        new("hue", "turns the hue by up to X of a circle", 0.5f, false, (options, value) => options with { HueJitter = value },
            options => options.HueJitter),
        new("gray", "the share that loses its colours", 1, false, (options, value) => options with { GrayscaleShare = value },
            options => options.GrayscaleShare),
        new("cutout", "paints over a rectangle of up to X of each side", 0.99f, false, (options, value) => options with { Cutout = value },
            options => options.Cutout),
        new("mosaic", "the share in whose place four images are shown", 1, false,
            (options, value) => options with { MosaicShare = value }, options => options.MosaicShare),
        new("mixup", "the share through which another image is seen", 1, false,
            (options, value) => options with { MixupShare = value }, options => options.MixupShare),
    ];

    /// <summary>The option.</summary>
    public static Option<string[]> Create()
    {
        AugmentationOptions usual = new();
        IEnumerable<string> defaults = All.Where(variation => variation.Of(usual) > 0)
            .Select(variation => string.Create(CultureInfo.InvariantCulture, $"{variation.Name}={variation.Of(usual)}"));
        var option = new Option<string[]>("--augment")
        {
            Description = "How images are varied: " + string.Join("; ", All.Select(variation => $"{variation.Name}: {variation.Does}"))
                + $". Several times, or with commas. [default: {string.Join(',', defaults)}]",
            HelpName = "NAME=X",
        };
        option.CompletionSources.Add([.. All.Select(variation => $"{variation.Name}=")]);
        // Before any data is read.
        option.Validators.Add(result =>
        {
            try
            {
                _ = Apply(usual, result.Tokens.Select(token => token.Value));
            }
            catch (UsageException wrong)
            {
                result.AddError(wrong.Message);
            }
        });
        return option;
    }

    /// <summary>The options with what is asked for.</summary>
    /// <param name="asked">Each <c>NAME=X</c>, several with commas.</param>
    /// <exception cref="UsageException">One of them is no variation or stands there twice, or its number is out of range.</exception>
    public static AugmentationOptions Apply(AugmentationOptions options, IEnumerable<string> asked)
    {
        var given = new Dictionary<string, string>();
        foreach (string text in asked.SelectMany(text => text.Split(',')))
        {
            string[] parts = text.Split('=', StringSplitOptions.TrimEntries);
            Variation? variation = Array.Find(All, variation => variation.Name == parts[0]);
            if (variation is null || parts.Length != 2)
            {
                throw new UsageException(
                    $"--augment is NAME=X with one of {string.Join(", ", All.Select(known => known.Name))}, not '{text}'.");
            }

            bool isNumber = float.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out float value);
            if (!isNumber || !(value >= 0 && value <= variation.Most) || (variation.IsSwitch && value is not (0 or 1)))
            {
                string range = variation.IsSwitch ? "0 or 1" : string.Create(CultureInfo.InvariantCulture, $"from 0 to {variation.Most}");
                throw new UsageException($"--augment {variation.Name} is {range}, not '{parts[1]}'.");
            }

            if (!given.TryAdd(variation.Name, parts[1])) throw new UsageException(
                $"--augment {variation.Name} is given twice, as {given[variation.Name]} and as {parts[1]}: which is meant?");
            options = variation.Set(options, value);
        }

        return options;
    }

    /// <summary>A way to vary images.</summary>
    /// <param name="Most">The highest number.</param>
    /// <param name="IsSwitch">Whether it is on or off.</param>
    private sealed record Variation(
        string Name, string Does, float Most, bool IsSwitch, Func<AugmentationOptions, float, AugmentationOptions> Set,
        Func<AugmentationOptions, float> Of);
}
