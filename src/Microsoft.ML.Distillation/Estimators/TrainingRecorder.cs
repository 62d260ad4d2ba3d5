using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// Writes down the course of a training, and passes every report on. Long trainings are thinned out to about a hundred points.
/// </summary>
internal sealed class TrainingRecorder(IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>
{
    private const int MostPoints = 100;

    private readonly List<(int Step, double Rate, int Count, Dictionary<string, double> Sums)> _points = [];
    private readonly List<ValidationPoint> _validations = [];
    private Dictionary<string, double> _epochSums = [];
    private int _epoch;
    private int _epochStart;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (!value.EpochEnd) Add(value);
        else if (value.ValidationAveragePrecision is double ap)
            _validations.Add(new ValidationPoint(value.Step, value.Epoch, Rounded(ap),
                Rounded(value.ValidationAveragePrecision50 ?? double.NaN)));
        next?.Report(value);
    }

    /// <summary>The record of a finished training.</summary>
    /// <param name="history">All epochs: those before an interruption are known by their means alone.</param>
    public TrainingRecord ToRecord(
        TrainingOptions options, IObjective objective, IDetectionDataset training, IDetectionDataset? validation,
        IReadOnlyList<EpochSummary> history)
    {
        var plan = TrainingPlan.For(options, training.Count, objective.Student.parameters().Sum(parameter => parameter.numel()));
        int firstStep = _points.Count > 0 ? _points[0].Step - _points[0].Count : int.MaxValue;
        EpochSummary[] before = [.. history.Where(epoch => epoch.Epoch * plan.StepsPerEpoch <= firstStep)];
        string[] terms = [.. history.SelectMany(epoch => epoch.Losses.Keys).Concat(_points.SelectMany(point => point.Sums.Keys))
            .Distinct()];
        return new TrainingRecord
        {
            Terms = terms,
            Losses =
            [
                .. before.Select(epoch => Point(epoch.Epoch * plan.StepsPerEpoch, plan.LearningRateAt(epoch.Epoch * plan.StepsPerEpoch),
                    terms, term => epoch.Losses.GetValueOrDefault(term))),
                .. _points.Select(point => Point(point.Step, point.Rate, terms, term => point.Sums.GetValueOrDefault(term) / point.Count)),
            ],
            Validations =
            [
                .. before.Where(epoch => epoch.ValidationAp is not null)
                    .Select(epoch => new ValidationPoint(epoch.Epoch * plan.StepsPerEpoch, epoch.Epoch, Rounded(epoch.ValidationAp!.Value),
                        Rounded(epoch.ValidationAp50 ?? double.NaN))),
                .. _validations,
            ],
            Settings = new Dictionary<string, string>(RunSettings.Of(options, plan, objective, training, validation))
            {
                ["weights"] = objective.Student.Weights?.ToString()
                    ?? (options is DetectorEstimatorOptions { InitialStudent: not null } ? "not known" : "random"),
            },
            Data = validation is null ? [Summary("train", training)] : [Summary("train", training), Summary("validation", validation)],
            Versions = Versions(),
        };
    }

    private void Add(TrainingProgress value)
    {
        if (value.Epoch != _epoch) (_epoch, _epochStart, _epochSums) = (value.Epoch, value.Step - 1, []);
        // Reports give means over the epoch so far; a step's own losses are what it adds to their sums.
        int steps = value.Step - _epochStart;
        int stretch = Math.Max(1, (value.Steps + MostPoints - 1) / MostPoints);
        bool isNew = _points.Count == 0 || _points[^1].Count >= stretch;
        Dictionary<string, double> sums = isNew ? [] : _points[^1].Sums;
        foreach ((string term, double mean) in value.Losses)
        {
            sums[term] = sums.GetValueOrDefault(term) + mean * steps - _epochSums.GetValueOrDefault(term);
            _epochSums[term] = mean * steps;
        }

        if (isNew) _points.Add((value.Step, value.LearningRate, 1, sums));
        else _points[^1] = (value.Step, value.LearningRate, _points[^1].Count + 1, sums);
    }

    private static LossPoint Point(int step, double rate, string[] terms, Func<string, double> value)
        => new(step, Rounded(rate), Array.ConvertAll(terms, term => Rounded(value(term))));

    private static DataSummary Summary(string name, IDetectionDataset data)
    {
        var statistics = DataStatistics.Of(data);
        var counts = new int[data.ClassNames.Count];
        for (int i = 0; i < data.Count; i++)
        {
            foreach (int label in data.AnnotationOf(i).Labels) counts[label]++;
        }

        return new DataSummary(name, statistics.Images, statistics.Boxes, [.. data.ClassNames], Median(statistics.BoxWidths),
            Median(statistics.BoxHeights))
        { ClassCounts = counts };
    }

    private static double Median(float[] values)
    {
        float[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : Rounded(sorted[sorted.Length / 2]);
    }

    private static Dictionary<string, string> Versions() => new()
    {
        ["ML.Distillation"] = HtmlReport.Version,
        ["ML.NET"] = VersionOf(typeof(MLContext)),
        ["TorchSharp"] = VersionOf(typeof(TorchSharp.torch)),
        [".NET"] = Environment.Version.ToString(),
        ["System"] = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
    };

    private static string VersionOf(Type type)
        => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? $"{type.Assembly.GetName().Version}";

    /// <summary>Five digits: a model's file should not grow by what nobody sees.</summary>
    private static double Rounded(double value) => double.IsFinite(value)
        ? double.Parse(value.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : 0;
}
