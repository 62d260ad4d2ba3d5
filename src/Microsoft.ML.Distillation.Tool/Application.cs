using System.CommandLine;
using System.CommandLine.Help;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Help;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>Parses the command line, runs the command, and turns what goes wrong into one line and an exit code.</summary>
internal static class Application
{
    /// <summary>Everything went well.</summary>
    public const int Success = 0;

    /// <summary>The data, a file or training itself failed.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int WrongUse = 2;

    /// <summary>The user interrupted the command; what was reached is saved.</summary>
    public const int Interrupted = 130;

    /// <summary>What the command is called.</summary>
    public const string Name = "ml-distill";

    /// <summary>Runs a command line of <c>ml-distill</c>.</summary>
    /// <inheritdoc cref="Run(string, RootCommand, string[], TextWriter, TextWriter)"/>
    public static int Run(string[] args, TextWriter output, TextWriter error) => Run(Name, CreateRoot(), args, output, error);

    /// <summary>Runs a command line.</summary>
    /// <param name="name">What the program is called.</param>
    /// <param name="root">Its commands.</param>
    /// <returns>0 where all went well, 1 for an error in data or training, 2 for wrong use, 130 after an interruption.</returns>
    public static int Run(string name, RootCommand root, string[] args, TextWriter output, TextWriter error)
    {
        // ML.NET logs from the threads that read.
        (output, error) = (TextWriter.Synchronized(output), TextWriter.Synchronized(error));
        root.Options.Add(SharedOptions.Verbose);
        root.Options.Add(SharedOptions.Quiet);
        root.Options.Add(SharedOptions.MaxPixels);
        root.Options.Add(HelpPage.All(name));
        foreach (HelpOption help in root.Options.OfType<HelpOption>()) help.Action = new ShowHelp(name, all: false);
        ParseResult parsed = root.Parse(args);
        TakenSettings settings;
        try
        {
            settings = SettingsFile.TakenBy(parsed);
            if (settings.Options.Count > 0) parsed = root.Parse([.. args, .. settings.Words]);
        }
        catch (UsageException wrongUse)
        {
            error.WriteLine($"{name}: {OneLine(wrongUse.Message)}");
            return WrongUse;
        }

        System.CommandLine.Command asked = parsed.CommandResult.Command;
        if (asked.Action is null && asked.Subcommands.Any() && parsed.UnmatchedTokens.Count == 0 && parsed.Action is not ShowHelp
            && parsed.CommandResult.Tokens.Count == 0 && asked.Arguments.Count == 0 && parsed.Action?.ClearsParseErrors != true)
        {
            HelpPage.Write(output, name, asked, all: false);
            return Success;
        }

        if (parsed.Errors.Count > 0)
        {
            string command = string.Join(' ', HelpPage.PathOf(name, asked).Reverse());
            error.WriteLine($"{name}: {settings.Blamed(OneLine(UsageErrors.Of(parsed)))} (see '{command} --help')");
            return WrongUse;
        }

        if (parsed.Action is not ShowHelp && Libtorch.Refusal(parsed.CommandResult.Command.Name, Libtorch.Carried) is { } refusal)
        {
            error.WriteLine($"{name}: {refusal}");
            return Failure;
        }

        // Of several processes that train together the first speaks.
        LaunchedJob? job = RankOptionSet.JobOf(parsed);
        bool speaks = job is null or { IsFirst: true };
        TextWriter verbose = speaks && parsed.GetValue(SharedOptions.Verbose) && parsed.Action is not ShowHelp ? error : TextWriter.Null;
        long started = Stopwatch.GetTimestamp();
        verbose.WriteLine(Describe(name));
        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = speaks ? output : TextWriter.Null,
                Error = speaks ? error : TextWriter.Null,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (InterruptedException interrupted)
        {
            LeaveTheWordToTheFirst(job);
            error.WriteLine($"{name}: interrupted: {OneLine(interrupted.Message)}");
            return Interrupted;
        }
        catch (OperationCanceledException)
        {
            LeaveTheWordToTheFirst(job);
            error.WriteLine($"{name}: interrupted.");
            return Interrupted;
        }
        catch (UsageException wrongUse)
        {
            LeaveTheWordToTheFirst(job);
            error.WriteLine($"{name}: {settings.Blamed(OneLine(OptionNames.Translate(wrongUse.Message)))}");
            return WrongUse;
        }
        catch (Exception failure)
        {
            LeaveTheWordToTheFirst(job);
            error.WriteLine($"{name}: {settings.Blamed(RunOptionSet.Explained(parsed, Line(failure)))}");
            if (parsed.GetValue(SharedOptions.Verbose)) error.WriteLine(failure);
            return Failure;
        }
        finally
        {
            verbose.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"took {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
        }
    }

    /// <summary>What runs, and on what: the first question to who asks for help.</summary>
    private static string Describe(string name)
    {
        string? version = typeof(Application).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return $"{name} {version}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.ProcessArchitecture}, {Counted.Of(Environment.ProcessorCount, "core")}";
    }

    /// <summary>
    /// What all processes come upon, the first says, whose end is that of all; what only this one has come upon, it says after a while.
    /// </summary>
    private static void LeaveTheWordToTheFirst(LaunchedJob? job)
    {
        if (job is { IsFirst: false }) Thread.Sleep(TimeSpan.FromSeconds(2));
    }

    /// <summary>What went wrong, in one line.</summary>
    public static string Line(Exception failure) => OneLine(OptionNames.Translate(Cause(failure).Message));

    private static RootCommand CreateRoot()
    {
        return new RootCommand("Trains, distils, evaluates, runs and exports object detectors; inspects and converts annotated images.")
        {
            new TrainCommand(),
            new DistillCommand(),
            new EvaluateCommand(),
            new PredictCommand(),
            new BenchmarkCommand(),
            new ExportCommand(),
            new LabelCommand(),
            new ConvertCommand(),
            new InspectCommand(),
            new QuantizeCommand(),
            new CompressCommand(),
            new InspectTeacherCommand(),
            new WeightsCommand(),
        };
    }

    /// <summary>The error beneath the wrappers that ML.NET's worker threads put around it.</summary>
    private static Exception Cause(Exception error)
    {
        while (error.InnerException is { } inner
            && (error is AggregateException or System.Reflection.TargetInvocationException or TypeInitializationException
                || error.Message.Contains("consolidator", StringComparison.OrdinalIgnoreCase)))
        {
            error = inner;
        }

        return error;
    }

    private static string OneLine(string message)
        => string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}

/// <summary>The user interrupted the command; the message says with what consequence.</summary>
internal sealed class InterruptedException(string message, Exception cause) : OperationCanceledException(message, cause);

/// <summary>The command was used wrongly, in a way that shows only when its options are seen together.</summary>
internal sealed class UsageException(string message) : Exception(message);
