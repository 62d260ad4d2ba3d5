using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Help;

/// <summary>
/// The help of a command: an example, the options that most people need, and where the others are; or all of them in groups. The help of
/// System.CommandLine is one list of a hundred.
/// </summary>
internal static class HelpPage
{
    // A command with so few options shows them all at once.
    private const int Few = 20;
    private const int Fewest = 8;
    private const int Widest = 110;
    private const int Narrowest = 60;

    /// <summary>Shows all options, in groups.</summary>
    public static Option<bool> All(string name) => new("--help-all")
    {
        Description = "Show all options, in groups.",
        Recursive = true,
        Action = new ShowHelp(name, all: true),
    };

    /// <summary>Writes the page of a command.</summary>
    /// <param name="program">What the program is called.</param>
    /// <param name="all">Whether all options are shown, and not only what most people need.</param>
    public static void Write(TextWriter output, string program, System.CommandLine.Command command, bool all)
    {
        int width = WidthOf(output);
        foreach (string line in Wrap(command.Description ?? "", width)) output.WriteLine(line);
        CommandGuide guide = command is RootCommand ? new(CommandGuide.First, []) : CommandGuide.Of(command.Name);
        bool isOwn = program == Application.Name;
        if (isOwn && guide.Examples.Length > 0)
        {
            output.WriteLine();
            foreach (string example in guide.Examples) output.WriteLine($"  {example}");
        }

        output.WriteLine();
        string path = string.Join(' ', PathOf(program, command).Reverse());
        string arguments = string.Concat(command.Arguments.Select(argument => $" {argument.Name}"));
        output.WriteLine($"Usage: {path}{(command.Subcommands.Any() ? " COMMAND" : "")}{arguments} [options]");
        WriteArguments(output, command, width);
        if (command.Subcommands.Any()) WriteCommands(output, command, isOwn, width);
        WriteOptions(output, command, guide, all, width);
        if (command is not RootCommand || !isOwn) return;
        output.WriteLine();
        output.WriteLine("'ml-distill COMMAND --help' says more. '@FILE' in place of options takes them from a file, one word a line.");
    }

    /// <summary>The program and its commands down to this one, from the inside out.</summary>
    public static IEnumerable<string> PathOf(string program, System.CommandLine.Command command)
    {
        for (Symbol? at = command; at is System.CommandLine.Command; at = at.Parents.FirstOrDefault())
            yield return at is RootCommand ? program : at.Name;
    }

    /// <summary>The options that a command understands: its own, and those of all commands.</summary>
    public static IEnumerable<Option> OptionsOf(System.CommandLine.Command command)
        => command.Options.Concat(Above(command).SelectMany(parent => parent.Options.Where(option => option.Recursive))).Distinct();

    private static IEnumerable<System.CommandLine.Command> Above(System.CommandLine.Command command)
    {
        for (Symbol? at = command.Parents.FirstOrDefault(); at is System.CommandLine.Command parent; at = at.Parents.FirstOrDefault())
            yield return parent;
    }

    private static void WriteArguments(TextWriter output, System.CommandLine.Command command, int width)
    {
        if (!command.Arguments.Any(argument => argument.Description is not null)) return;
        output.WriteLine();
        WriteRows(output, [.. command.Arguments.Select(argument => (argument.Name, argument.Description ?? ""))], width);
    }

    private static void WriteCommands(TextWriter output, System.CommandLine.Command command, bool isOwn, int width)
    {
        Dictionary<string, System.CommandLine.Command> known = command.Subcommands.ToDictionary(sub => sub.Name, StringComparer.Ordinal);
        var groups = new List<(string Group, string[] Commands)>();
        if (isOwn && command is RootCommand)
            groups.AddRange(CommandGuide.Groups.Select(group => (group.Group, group.Commands.Where(known.ContainsKey).ToArray())));
        string[] rest = [.. known.Keys.Except(groups.SelectMany(group => group.Commands))];
        if (rest.Length > 0) groups.Add(("Commands", rest));
        int column = known.Keys.Max(name => name.Length);
        foreach ((string group, string[] commands) in groups.Where(group => group.Commands.Length > 0))
        {
            output.WriteLine();
            output.WriteLine($"{group}:");
            WriteRows(output, [.. commands.Select(name => (name.PadRight(column), known[name].Description ?? ""))], width);
        }
    }

    private static void WriteOptions(TextWriter output, System.CommandLine.Command command, CommandGuide guide, bool all, int width)
    {
        Option[] options = [.. OptionsOf(command).Where(option => !option.Hidden)];
        if (all || guide.Needed.Length == 0 || options.Length <= Few)
        {
            IEnumerable<(string, IReadOnlyList<Option>)> groups = options.Length <= Fewest
                ? [("Options", options)] : OptionGroups.Of(options);
            foreach ((string group, IReadOnlyList<Option> together) in groups)
            {
                output.WriteLine();
                output.WriteLine($"{group}:");
                WriteRows(output, [.. together.Select(RowOf)], width);
            }

            return;
        }

        output.WriteLine();
        output.WriteLine("Options that most people need:");
        Option[] needed = [.. guide.Needed.Select(name => options.FirstOrDefault(option => option.Name == name)).OfType<Option>()];
        WriteRows(output, [.. needed.Select(RowOf)], width);
        output.WriteLine();
        output.WriteLine($"--help-all shows all {options.Length} options, in groups.");
    }

    private static (string Name, string Text) RowOf(Option option)
    {
        string shorts = string.Concat(option.Aliases.Where(alias => alias is ['-', not '?']).Select(alias => $"{alias}, "));
        string value = option is Option<bool> || option.ValueType == typeof(bool) || option.HelpName is null ? "" : $" {option.HelpName}";
        string text = option.Description ?? "";
        if (option.Required) text = $"{text} (required)";
        else if (option.HasDefaultValue && option is not Option<bool> && !text.Contains("[default", StringComparison.Ordinal)
            && DefaultOf(option) is { Length: > 0 } usual) text = $"{text} [default: {usual}]";
        return ($"{shorts}{option.Name}{value}", text);
    }

    private static string? DefaultOf(Option option)
        => option.ValueType == typeof(bool) ? null : Convert.ToString(option.GetDefaultValue(), CultureInfo.InvariantCulture);

    private static void WriteRows(TextWriter output, IReadOnlyList<(string Name, string Text)> rows, int width)
    {
        int column = Math.Min(30, rows.Max(row => row.Name.Length)) + 4;
        foreach ((string name, string text) in rows)
        {
            string[] lines = [.. Wrap(text, width - column)];
            bool fits = name.Length + 4 <= column;
            output.WriteLine($"  {(fits ? name.PadRight(column - 2) + lines.FirstOrDefault() : name)}".TrimEnd());
            foreach (string line in lines.Skip(fits ? 1 : 0)) output.WriteLine(new string(' ', column) + line);
        }
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new System.Text.StringBuilder();
        foreach (string word in text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }

        if (line.Length > 0) yield return line.ToString();
    }

    private static int WidthOf(TextWriter output)
    {
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected) return Widest;
        return Math.Clamp(Console.WindowWidth - 1, Narrowest, Widest);
    }
}

/// <summary>Shows a page of help, in the place of what the command does.</summary>
/// <param name="program">What the program is called.</param>
/// <param name="all">Whether all options are shown.</param>
internal sealed class ShowHelp(string program, bool all) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        // Of a command that there is not the page of all commands says nothing.
        if (UsageErrors.UnknownCommandIn(parseResult) is { } unknown)
        {
            parseResult.InvocationConfiguration.Error.WriteLine($"{program}: {unknown} (see '{program} --help')");
            return Application.WrongUse;
        }

        HelpPage.Write(parseResult.InvocationConfiguration.Output, program, parseResult.CommandResult.Command, all);
        return Application.Success;
    }
}
