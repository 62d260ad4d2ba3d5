using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of the HTML report.</summary>
internal sealed class ReportOptionSet
{
    private readonly Option<string?> _file = SharedOptions
        .Path("--report", "Also write a report: one HTML file with figures, curves and pictures.", "FILE");
    private readonly Option<int?> _pictures = SharedOptions
        .Count("--report-pictures", "How many test images the report shows. [default: 8]", least: 0);

    private readonly Option<string[]> _timings = new("--timing")
    {
        Description = "With a report: the time of a model on another device, a json that 'ml-distill benchmark --model M --json FILE' "
            + "wrote there. May be given several times.",
        HelpName = "FILE",
    };

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_file);
        options.Add(_pictures);
        options.Add(_timings);
    }

    /// <summary>Whether a report was asked for.</summary>
    public bool IsWanted(ParseResult parsed) => parsed.GetValue(_file) is not null;

    /// <summary>Checks that the report, if one was asked for, can be written, and its timings read.</summary>
    /// <exception cref="UsageException">It cannot.</exception>
    /// <exception cref="IOException">A timing does not exist.</exception>
    /// <exception cref="FormatException">A timing is none.</exception>
    public void Check(ParseResult parsed)
    {
        OutputCheck.File(parsed, _file.Name, parsed.GetValue(_file));
        _ = TimingsIn(parsed);
    }

    /// <summary>Says that the report, if one was asked for, is not written.</summary>
    public void SayNone(ParseResult parsed)
    {
        if (parsed.GetValue(_file) is string path)
            parsed.InvocationConfiguration.Error.WriteLine($"no report was written to {path}: it compares what was trained to the end.");
    }

    /// <summary>Writes the report, if one was asked for, or the run has a folder for it.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="models">Gives the models, in the order in which they are shown.</param>
    /// <param name="test">The images that they were measured on.</param>
    /// <param name="folder">The run's folder.</param>
    public void Write(
        ParseResult parsed, string title, Func<IReadOnlyList<ReportedDetector>> models, IReadOnlyList<AnnotatedRow> test,
        RunFolder? folder = null)
    {
        if ((parsed.GetValue(_file) ?? folder?.Report) is not string path) return;
        var context = new MLContext();
        context.SaveReport(path, models(), new DetectorReportOptions
        {
            Title = title,
            TestSet = test.Count == 0 ? null : context.Data.LoadFromEnumerable(test),
            Command = "ml-distill " + string.Join(' ', parsed.Tokens.Select(token => Quoted(token.Value))),
            Timings = TimingsIn(parsed),
            Pictures = parsed.GetValue(_pictures) ?? 8,
        });
        if (parsed.GetValue(_file) is not null) parsed.InvocationConfiguration.Output.WriteLine($"saved {path}");
    }

    private DeviceTiming[] TimingsIn(ParseResult parsed) => [.. (parsed.GetValue(_timings) ?? []).Select(DeviceTiming.Read)];

    private static string Quoted(string word) => word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word;
}
