using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Help;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>
/// A run's options as YAML: a key for each option of the command, by its name without dashes, and beneath <c>about</c> what cannot be
/// set: the command, versions, what was left open and how it was decided, the data. Read back, <c>about</c> is passed over.
/// </summary>
internal static class SettingsFile
{
    private const string About = "about";
    private static readonly string[] NotKept = ["run", "resume", "config", "help", "help-all", "verbose", "quiet", "version"];

    /// <summary>Writes every option of a command line, given or by default.</summary>
    /// <param name="about">What is known of the run by groups of names and values.</param>
    public static void Write(
        string path, ParseResult parsed, params IReadOnlyList<(string Group, IReadOnlyDictionary<string, string> Entries)> about)
    {
        System.CommandLine.Command command = parsed.CommandResult.Command;
        var root = new YamlMappingNode();
        foreach (Option option in HelpPage.OptionsOf(command).Where(option => !NotKept.Contains(KeyOf(option))))
        {
            if (ValueOf(parsed, option) is { } value) root.Add(KeyOf(option), value);
        }

        var known = new YamlMappingNode { { "command", command.Name } };
        foreach ((string group, IReadOnlyDictionary<string, string> entries) in about)
        {
            var node = new YamlMappingNode();
            foreach ((string name, string value) in entries) node.Add(name, value);
            known.Add(group, node);
        }

        root.Add(About, known);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"# 'ml-distill {command.Name} --config settings.yaml' trains again with these options; what the command line says "
            + "wins.");
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(text.ToString().TrimEnd('\r', '\n', '.') + "\n"));
    }

    /// <summary>
    /// The options that a command line's <c>--config</c> or <c>--resume</c> names, as far as it does not give them itself.
    /// </summary>
    /// <exception cref="UsageException">The file is none, of another command, or has a key that is no option.</exception>
    public static TakenSettings TakenBy(ParseResult parsed)
    {
        System.CommandLine.Command command = parsed.CommandResult.Command;
        if (!command.Options.Contains(RunOptionSet.Config)) return TakenSettings.None;
        (string? config, string? resumed) = (Given(RunOptionSet.Config), Given(RunOptionSet.Resume));
        if (config is null && resumed is null) return TakenSettings.None;
        if (config is not null && resumed is not null) throw new UsageException("--resume has settings of its own: leave --config out.");
        string file = config ?? Path.Combine(resumed!, "settings.yaml");
        if (!File.Exists(file)) throw new UsageException(resumed is null ? $"--config: there is no file '{file}'."
            : $"--resume '{resumed}' is no run folder: it has no settings.yaml.");
        return new TakenSettings(file, [.. Read(file, parsed)]);

        // A value that is no path yet is found where the parser did not get to it.
        string? Given(Option<string?> option)
            => parsed.GetResult(option) is { Implicit: false, Tokens: [var token, ..] } ? token.Value : null;
    }

    private static IEnumerable<(string Option, string? Value)> Read(string file, ParseResult parsed)
    {
        System.CommandLine.Command command = parsed.CommandResult.Command;
        Option[] options = [.. HelpPage.OptionsOf(command)];
        foreach ((string key, IReadOnlyList<string> values) in Entries(file, command.Name))
        {
            Option option = options.FirstOrDefault(one => one.Name == $"--{key}" || one.Aliases.Contains($"--{key}"))
                ?? throw new UsageException($"{file}: '{key}' is no option of '{command.Name}'"
                    + $"{UsageErrors.DidYouMean(key, options.Select(KeyOf))}");
            if (NotKept.Contains(KeyOf(option))) throw new UsageException($"{file}: '{key}' is for the command line alone.");
            if (parsed.GetResult(option) is { Implicit: false }) continue;
            if (option.ValueType == typeof(bool))
            {
                if (IsOn(file, key, values)) yield return (option.Name, null);
                continue;
            }

            if (values is [var only] && only == DefaultOf(option)) continue;
            foreach (string value in values) yield return (option.Name, value);
        }
    }

    /// <summary>Whether a switch is on, in the words of YAML.</summary>
    private static bool IsOn(string file, string key, IReadOnlyList<string> values) => values switch
    {
        [] => false,
        [var one] when one.ToUpperInvariant() is "TRUE" or "YES" or "ON" => true,
        [var one] when one.ToUpperInvariant() is "FALSE" or "NO" or "OFF" => false,
        _ => throw new UsageException($"{file}: '{key}' is true or false, not '{string.Join(", ", values)}'."),
    };

    private static IEnumerable<(string Key, IReadOnlyList<string> Values)> Entries(string file, string command)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StreamReader(file);
            stream.Load(reader);
        }
        catch (YamlException error)
        {
            throw new UsageException($"{file}({error.Start.Line}): this is no well-formed YAML: {error.Message}");
        }

        if (stream.Documents.Count == 0) return [];
        if (stream.Documents[0].RootNode is not YamlMappingNode root)
            throw new UsageException($"{file}: lines 'option: value' are expected.");
        var entries = new List<(string, IReadOnlyList<string>)>();
        foreach ((YamlNode name, YamlNode value) in root)
        {
            string key = name is YamlScalarNode { Value: { } text } ? text
                : throw new UsageException($"{file}({name.Start.Line}): a name is expected.");
            if (key != About)
            {
                entries.Add((key.TrimStart('-'), ValuesOf(file, value)));
                continue;
            }

            if (value is YamlMappingNode about && about.Children.TryGetValue("command", out YamlNode? of)
                && of is YamlScalarNode { Value: { } other } && other != command)
                throw new UsageException($"{file} is of a run of '{other}': 'ml-distill {other}' takes it, not '{command}'.");
        }

        return entries;
    }

    private static IReadOnlyList<string> ValuesOf(string file, YamlNode value) => value switch
    {
        YamlScalarNode { Value: null or "" or "~" or "null" } => [],
        YamlScalarNode { Value: { } text } => [text],
        YamlSequenceNode list when list.All(item => item is YamlScalarNode) => [.. list.Select(item => ((YamlScalarNode)item).Value ?? "")],
        _ => throw new UsageException($"{file}({value.Start.Line}): a value or a list of values is expected."),
    };

    private static YamlNode? ValueOf(ParseResult parsed, Option option)
    {
        bool isSwitch = option.ValueType == typeof(bool);
        if (parsed.GetResult(option) is not { Implicit: false } given)
        {
            string? usual = isSwitch ? "false" : DefaultOf(option);
            return string.IsNullOrEmpty(usual) ? null : new YamlScalarNode(usual);
        }

        if (isSwitch) return given.GetValueOrDefault<bool>() ? "true" : "false";
        string[] values = [.. given.Tokens.Select(token => PlaceOf(option, token.Value))];
        return values is [var one] ? new YamlScalarNode(one) : new YamlSequenceNode(values.Select(value => new YamlScalarNode(value)));
    }

    /// <summary>Paths in full: the file may be read from elsewhere.</summary>
    private static string PlaceOf(Option option, string value)
    {
        bool isPath = option.HelpName is "FILE" or "DIR" or "PATH";
        bool mayBe = option.HelpName?.Contains("FILE", StringComparison.Ordinal) == true;
        return value.Length > 0 && (isPath || mayBe && File.Exists(value)) ? Path.GetFullPath(value) : value;
    }

    private static string? DefaultOf(Option option)
        => option.HasDefaultValue ? Convert.ToString(option.GetDefaultValue(), CultureInfo.InvariantCulture) : null;

    private static string KeyOf(Option option) => option.Name.TrimStart('-');
}

/// <summary>Options that a command line takes from a file of settings.</summary>
/// <param name="File">The file.</param>
/// <param name="Options">The options with their values; a switch has none.</param>
internal sealed partial record TakenSettings(string File, IReadOnlyList<(string Option, string? Value)> Options)
{
    /// <summary>Nothing is taken.</summary>
    public static TakenSettings None { get; } = new("", []);

    /// <summary>The options as words of a command line.</summary>
    public IEnumerable<string> Words
        => Options.SelectMany(one => one.Value is null ? (string[])[one.Option] : [one.Option, one.Value]);

    /// <summary>An error's message, with file and key where it is about one of these: names it first, or quotes its value.</summary>
    public string Blamed(string message)
    {
        string first = Flag().Match(message).Value;
        string? named = Options.FirstOrDefault(one => one.Option == first).Option;
        named ??= Options.FirstOrDefault(one => one.Value is { Length: > 2 } value
            && message.Contains($"'{value}'", StringComparison.Ordinal)).Option;
        return named is null ? message : $"{File}: '{named.TrimStart('-')}': {message}";
    }

    [GeneratedRegex("--[a-z][a-z0-9-]*")]
    private static partial Regex Flag();
}
