using System.Globalization;
using Microsoft.ML.Distillation.Tool.Runs;
using Spectre.Console;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>Shows training as it goes: a bar on a terminal; elsewhere a line an epoch, and now and then one of a long epoch.</summary>
internal sealed class TrainingDisplay(TextWriter output, bool isTerminal, TimeProvider? time = null)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2), Then = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>A display on the console, or on a writer that stands in for it.</summary>
    public static TrainingDisplay On(TextWriter output)
        => new(output, ReferenceEquals(LoggedWriter.Unwrapped(output), Console.Out) && !Console.IsOutputRedirected
            && AnsiConsole.Profile.Capabilities.Interactive);

    /// <summary>Says a line.</summary>
    public void Say(string line) => output.WriteLine(line);

    /// <summary>Runs a training that reports its progress.</summary>
    /// <param name="title">What is trained.</param>
    public T Show<T>(string title, Func<IProgress<TrainingProgress>, T> train) => Show([title], progress => train(progress[0]));

    /// <summary>Runs trainings side by side that report their progress.</summary>
    /// <param name="titles">What is trained.</param>
    public T Show<T>(IReadOnlyList<string> titles, Func<IReadOnlyList<IProgress<TrainingProgress>>, T> train)
    {
        if (!isTerminal)
        {
            return train([.. titles.Select(title =>
            {
                var clock = new StepClock(_time);
                long last = _time.GetTimestamp();
                TimeSpan patience = First;
                return new Reporter(progress =>
                {
                    string left = clock.After(progress.Step, progress.Steps);
                    if (!progress.EpochEnd && _time.GetElapsedTime(last) < patience) return;
                    (last, patience) = (_time.GetTimestamp(), Then);
                    output.WriteLine(progress.EpochEnd ? $"{title}: {Describe(progress)}{Shares(progress)}  {left}"
                        : string.Create(CultureInfo.InvariantCulture,
                            $"{title}: step {progress.Step} of {progress.Steps}  loss {progress.Loss:0.0000}  {left}").TrimEnd());
                });
            })]);
        }

        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new TimeLeftColumn())
            .Start(context => train([.. titles.Select(title =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(title));
                return new Reporter(progress =>
                {
                    bar.MaxValue = progress.Steps;
                    bar.Value = progress.Step;
                    bar.Description = Markup.Escape($"{title}: {Describe(progress)}");
                });
            })]));
    }

    private static string Describe(TrainingProgress progress)
    {
        string text = string.Create(CultureInfo.InvariantCulture,
            $"epoch {progress.Epoch}/{progress.Epochs}  loss {progress.Loss:0.0000}  {progress.ImagesPerSecond:0.0} images/s");
        return progress.ValidationAveragePrecision is double ap
            ? string.Create(CultureInfo.InvariantCulture,
                $"{text}  AP {100 * ap:0.0} %  AP50 {100 * progress.ValidationAveragePrecision50:0.0} %")
            : text;
    }

    /// <summary>The terms of the loss with their shares: of those that have faded 0 %.</summary>
    private static string Shares(TrainingProgress progress)
        => $"  ({string.Join(", ", progress.Shares
            .Select(share => string.Create(CultureInfo.InvariantCulture, $"{share.Key} {100 * share.Value:0} %")))})";

    /// <summary>Reports at once, on the thread that trains: <see cref="Progress{T}"/> would let reports overtake each other.</summary>
    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
