using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Research;

/// <summary>
/// Runs trainings side by side, each as a process of its own with one thread, and measures what they made. What an interruption left is
/// taken up from its checkpoint.
/// </summary>
/// <param name="work">The folder for models, checkpoints and logs.</param>
internal sealed class ExperimentRunner(ExperimentList list, string work, ExperimentResults results, TextWriter output)
{
    /// <summary>Runs what is wanted and has no result yet; what it needs goes first.</summary>
    /// <param name="parallel">How many at once.</param>
    /// <returns>Whether all of them came to a result.</returns>
    public bool Run(IEnumerable<Experiment> wanted, int parallel, CancellationToken cancellation)
    {
        var waiting = list.WithNeeds(wanted).Where(run => !results.All.ContainsKey(run.Key)).ToList();
        var (running, failed) = (new HashSet<string>(), new HashSet<string>());
        var turn = new object();
        foreach (LabelPart part in list.Parts) part.Make(Path.Combine(work, "parts"));
        Thread[] workers = [.. Enumerable.Range(0, parallel).Select(_ => new Thread(Work) { IsBackground = true })];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        return failed.Count == 0 && waiting.Count == 0;

        void Work()
        {
            while (Next() is { } run)
            {
                bool succeeded = false;
                try
                {
                    succeeded = Run(run, cancellation);
                }
                catch (Exception e) when (e is IOException or InvalidOperationException or JsonException or KeyNotFoundException)
                {
                    output.WriteLine($"{run.Key}: {e.Message}");
                }

                lock (turn)
                {
                    running.Remove(run.Key);
                    if (!succeeded) failed.Add(run.Key);
                    Monitor.PulseAll(turn);
                }
            }
        }

        Experiment? Next()
        {
            lock (turn)
            {
                while (!cancellation.IsCancellationRequested)
                {
                    waiting.RemoveAll(run => run.Needs.Any(failed.Contains) && failed.Add(run.Key));
                    if (waiting.Find(run => run.Needs.All(results.All.ContainsKey)) is { } ready)
                    {
                        waiting.Remove(ready);
                        running.Add(ready.Key);
                        return ready;
                    }

                    if (running.Count == 0) return null;
                    Monitor.Wait(turn);
                }

                return null;
            }
        }
    }

    private bool Run(Experiment run, CancellationToken cancellation)
    {
        string model = ModelOf(run.Key);
        string[] training =
        [
            .. run.ArgumentsWith(ModelOf), .. list.Data[run.Data].SelectMany(options => options), "--seed",
            run.Seed.ToString(CultureInfo.InvariantCulture), "--test-split", "none", "--loader-threads", "1", "--checkpoints",
            Path.ChangeExtension(model, ".checkpoints"), "--output", model,
        ];
        output.WriteLine($"{run.Key}: {string.Join(' ', training)}");
        if (Start(training, Path.ChangeExtension(model, ".log"), cancellation, out double seconds) is var code && code != 0)
        {
            output.WriteLine($"{run.Key}: ended with {code}; {Path.ChangeExtension(model, ".log")} says why");
            return false;
        }

        var figures = new Dictionary<string, (double, double)>();
        foreach ((string what, IReadOnlyList<string> options) in list.Measures[run.Data])
        {
            string json = Path.ChangeExtension(model, $".{what}.json");
            string[] measuring = ["evaluate", "--model", model, "--json", json, .. options];
            if (Start(measuring, Path.ChangeExtension(model, ".log"), cancellation, out _) != 0)
                throw new InvalidOperationException($"cannot be measured on {what}");
            using JsonDocument read = JsonDocument.Parse(File.ReadAllText(json));
            figures[what] = (Figure(read, "AP"), Figure(read, "AP50"));
        }

        results.Add(new ExperimentResult(run.Key, figures, seconds));
        output.WriteLine($"{run.Key}: {string.Join(", ", figures.Select(figure => string.Create(
            CultureInfo.InvariantCulture, $"{figure.Key} AP {figure.Value.Item1:0.0} AP50 {figure.Value.Item2:0.0}")))}");
        return true;
    }

    private static double Figure(JsonDocument read, string name)
        => 100 * read.RootElement.GetProperty("figures").GetProperty(name).GetDouble();

    private string ModelOf(string key) => Path.Combine(work, $"{key.Replace('/', '-')}.zip");

    /// <summary>This program itself runs the command, in another process.</summary>
    private static int Start(IEnumerable<string> arguments, string log, CancellationToken cancellation, out double seconds)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OMP_NUM_THREADS"] = "1", ["OMP_WAIT_POLICY"] = "PASSIVE" },
        };
        string[] command = [typeof(Program).Assembly.Location, AccuracyCommand.ToolVerb, .. arguments];
        foreach (string argument in command) start.ArgumentList.Add(argument);
        using var writer = TextWriter.Synchronized(new StreamWriter(log, append: true) { AutoFlush = true });
        using Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => writer.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => writer.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using CancellationTokenRegistration kill = cancellation.Register(() => process.Kill());
        seconds = 0;
        // Of a process that has ended the time is no longer told.
        while (!process.WaitForExit(TimeSpan.FromSeconds(1))) seconds = ProcessorTime(process) ?? seconds;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static double? ProcessorTime(Process process)
    {
        try
        {
            return process.TotalProcessorTime.TotalSeconds;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
