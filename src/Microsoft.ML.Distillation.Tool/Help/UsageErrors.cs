using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Help;

/// <summary>Says in one line what is wrong with a command line, and what may have been meant.</summary>
internal static class UsageErrors
{
    /// <summary>The line: of several errors the word that nobody knows, then all options that are missing, then the first.</summary>
    public static string Of(ParseResult parsed)
    {
        System.CommandLine.Command command = parsed.CommandResult.Command;
        if (UnknownIn(parsed) is { } word) return Unknown(word, command);
        string[] missing = [.. command.Options.Where(option => option.Required && parsed.GetResult(option) is null or { Implicit: true })
            .Select(option => option.Name)];
        // An option that was given without a value is another error than one that was not given.
        ParseError? other = parsed.Errors.FirstOrDefault(error => !missing.Any(name
            => error.Message.Contains($"'{name}'", StringComparison.Ordinal)));
        if (other is not null) return other.Message;
        return missing.Length switch
        {
            0 => parsed.Errors[0].Message,
            1 => $"{missing[0]} is missing",
            _ => $"{string.Join(", ", missing[..^1])} and {missing[^1]} are missing",
        };
    }

    /// <summary>What is to be said where help is asked for on a command that there is not; else <see langword="null"/>.</summary>
    public static string? UnknownCommandIn(ParseResult parsed)
        => parsed.CommandResult.Command is RootCommand root && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-')
            ? Unknown(word, root) : null;

    /// <summary>The names that a word may have meant, as a question; empty where none is near. Dashes in front do not count.</summary>
    public static string DidYouMean(string word, IEnumerable<string> names)
    {
        ILookup<string, string> named = names.ToLookup(name => name.TrimStart('-'));
        return NearestNames.Close(word.TrimStart('-'), named.Select(name => name.Key), 2) switch
        {
            [] => "",
            var near => $": did you mean {string.Join(" or ", near.Select(name => named[name].First()))}?",
        };
    }

    private static string? UnknownIn(ParseResult parsed)
        => parsed.UnmatchedTokens.FirstOrDefault(token => token.StartsWith('-') != parsed.CommandResult.Command.Subcommands.Any())
            ?? (parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null);

    private static string Unknown(string word, System.CommandLine.Command command)
    {
        if (!word.StartsWith('-'))
        {
            return command.Subcommands.Any()
                ? $"there is no command '{word}'{DidYouMean(word, command.Subcommands.Select(sub => sub.Name))}"
                : $"'{word}' is no option and belongs to none";
        }

        string name = word.Split('=', ':')[0];
        System.CommandLine.Command[] owners = [.. Siblings(command)
            .Where(other => other.Options.Any(option => option.Name == name || option.Aliases.Contains(name)))];
        string near = DidYouMean(name, HelpPage.OptionsOf(command).Where(option => !option.Hidden).Select(option => option.Name));
        string of = command is RootCommand ? "" : $" of '{command.Name}'";
        if (owners.Length == 0 || near.Length > 0) return $"there is no option {name}{of}{near}";
        return $"{name} is an option of {string.Join(", ", owners.Select(owner => $"'{owner.Name}'"))}, not{of}";
    }

    private static IEnumerable<System.CommandLine.Command> Siblings(System.CommandLine.Command command)
        => command.Parents.OfType<System.CommandLine.Command>().SelectMany(parent => parent.Subcommands).Append(command)
            .Concat(command.Subcommands).Distinct();
}
