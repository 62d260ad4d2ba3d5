using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>Options that several commands have, and helpers to make options.</summary>
internal static class SharedOptions
{
    /// <summary>Whether to say more.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Say more: versions and the machine, the log of training, how long it took, and where in the program an error "
            + "arose.",
        Recursive = true,
    };

    /// <summary>Whether to say less.</summary>
    public static Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "Say less: results, warnings and errors, but no progress and no notes.",
        Recursive = true,
    };

    /// <summary>How large an image may be.</summary>
    public static Option<long?> MaxPixels { get; } = MaxPixelsOption();

    /// <summary>How many pixels an image may have.</summary>
    public static long MaxPixelsIn(ParseResult parsed) => parsed.GetValue(MaxPixels) ?? ImageLoader.DefaultMaxPixels;

    /// <summary>Where a command says how far it is, and what one may like to know; nowhere with <see cref="Quiet"/>.</summary>
    public static TextWriter NotesTo(ParseResult parsed, TextWriter output) => parsed.GetValue(Quiet) ? TextWriter.Null : output;

    /// <summary>The path that a command writes to, which must be given: <c>--output</c>, or <c>-o</c>.</summary>
    public static Option<string> RequiredOutput(string description, string help)
        => new("--output", "-o") { Description = description, Required = true, HelpName = help };

    /// <summary>The path that a command may write to: <c>--output</c>, or <c>-o</c>.</summary>
    public static Option<string?> Output(string description, string help)
        => new("--output", "-o") { Description = description, HelpName = help };

    /// <summary>Whether what cannot be used is left out: <c>--skip-invalid</c>.</summary>
    public static Option<bool> SkipInvalid(
        string description = "Leave out images and annotations that cannot be used, with a warning, instead of stopping.")
        => new("--skip-invalid") { Description = description };

    /// <summary>Other names of an option, of earlier versions or of other commands, which help does not show.</summary>
    public static T AlsoCalled<T>(this T option, params ReadOnlySpan<string> names) where T : Option
    {
        foreach (string name in names) option.Aliases.Add(name);
        return option;
    }

    /// <summary>A path that must be given.</summary>
    public static Option<string> RequiredPath(string name, string description, string help = "PATH")
        => new(name) { Description = description, Required = true, HelpName = help };

    /// <summary>A path that may be given.</summary>
    public static Option<string?> Path(string name, string description, string help = "PATH")
        => new(name) { Description = description, HelpName = help };

    /// <summary>A word that may be given.</summary>
    public static Option<string?> Text(string name, string description, string help)
        => new(name) { Description = description, HelpName = help };

    /// <summary>A part of a data set that may be given; completion offers those that are usual, and a word beside them.</summary>
    public static Option<string?> Split(string name, string description, string word = DataFolder.All)
        => Text(name, description, "NAME").Completed([.. DataFolder.UsualSplits, word]);

    /// <summary>Offers values to completion; others may be given too.</summary>
    public static T Completed<T>(this T option, params string[] values) where T : Option
    {
        option.CompletionSources.Add(_ => values.Select(value => new CompletionItem(value)));
        return option;
    }

    /// <summary>One of several words that may be given.</summary>
    public static Option<string?> OptionalChoice(string name, string description, params string[] words)
    {
        Option<string?> option = Text(name, description, string.Join('|', words));
        Accept(option, StringComparer.OrdinalIgnoreCase, words);
        return option;
    }

    /// <summary>A whole number that may be given, not below <paramref name="least"/>.</summary>
    public static Option<int?> Count(string name, string description, int least = 1)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
                && value >= least) return value;
            result.AddError($"{name} must be a whole number of at least {least}, not '{result.Tokens[0].Value}'.");
            return null;
        };
        return option;
    }

    /// <summary>A device: null is the CPU, a number a CUDA device. <c>--gpu</c> is its name of earlier versions.</summary>
    public static Option<int?> Device(string description)
    {
        var option = new Option<int?>("--device", "--gpu")
        {
            Description = $"{description} cpu, or a CUDA device as cuda:0 or 0. [default: cpu]",
            HelpName = "cpu|cuda:N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                string number = text.StartsWith("cuda:", StringComparison.OrdinalIgnoreCase) ? text[5..] : text;
                if (text.Equals("cpu", StringComparison.OrdinalIgnoreCase)) return null;
                if (text.Equals("cuda", StringComparison.OrdinalIgnoreCase)) return 0;
                if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int device)) return device;
                result.AddError($"{result.IdentifierTokenOf("--device")} must be cpu, or a CUDA device as cuda:0, not '{text}'.");
                return null;
            },
        };
        option.CompletionSources.Add("cpu", "cuda:0");
        return option;
    }

    private static string IdentifierTokenOf(this System.CommandLine.Parsing.ArgumentResult result, string usual)
        => (result.Parent as System.CommandLine.Parsing.OptionResult)?.IdentifierToken?.Value ?? usual;

    private static Option<long?> MaxPixelsOption()
    {
        var option = new Option<long?>("--max-pixels")
        {
            Description = "The pixels, width times height, that an image may have; a larger one is an error before it is decoded. "
                + "[default: 200000000]",
            HelpName = "N",
            Recursive = true,
        };
        option.CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out long value) && value > 0)
                return value;
            result.AddError($"--max-pixels must be a whole number of at least 1, not '{result.Tokens[0].Value}'.");
            return null;
        };
        return option;
    }

    /// <summary>A number that may be given, from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<double?> Number(string name, string description, double least = 0, double most = double.MaxValue)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = "X" };
        option.CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                && value >= least && value <= most) return value;
            result.AddError($"{name} must be a number {Range(least, most)}, not '{result.Tokens[0].Value}'.");
            return null;
        };
        return option;
    }

    private static string Range(double least, double most) => (least, most) switch
    {
        (double.Epsilon, double.MaxValue) => "above 0",
        (double.Epsilon, _) => string.Create(CultureInfo.InvariantCulture, $"above 0 and up to {most}"),
        (_, double.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"of at least {least}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"from {least} to {most}"),
    };

    /// <summary>One of several words, with a default.</summary>
    public static Option<string> Choice(string name, string description, params string[] words)
    {
        var option = new Option<string>(name)
        {
            Description = $"{description} One of {string.Join(", ", words)}.",
            HelpName = "NAME",
            DefaultValueFactory = _ => words[0],
        };
        Accept(option, StringComparer.Ordinal, words);
        return option;
    }

    /// <summary>Three numbers, written with commas between them.</summary>
    /// <exception cref="UsageException">The text is something else.</exception>
    public static float[] Three(string name, string text)
    {
        string[] parts = text.Split(',');
        var values = new float[3];
        for (int i = 0; i < 3; i++)
        {
            if (parts.Length != 3 || !float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]))
                throw new UsageException($"{name} is three numbers with commas between them, not '{text}'.");
        }

        return values;
    }

    /// <summary>Lets an option have these words alone; completion offers them.</summary>
    private static void Accept<T>(Option<T> option, StringComparer comparer, string[] words)
    {
        option.AcceptOnlyFromAmong(comparer, words);
        // Its own message does not say which option it is about.
        option.Validators.Clear();
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: string given }, ..] || words.Contains(given, comparer)) return;
            string name = result.IdentifierToken?.Value ?? option.Name;
            result.AddError($"{name} must be one of {string.Join(", ", words)}, not '{given}'.");
        });
    }
}
