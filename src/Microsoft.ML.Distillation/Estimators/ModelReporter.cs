using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Makes the report of fitted models.</summary>
internal static class ModelReporter
{
    /// <summary>The report of a model, and of those that the options put beside it.</summary>
    public static ReportContent Make(ITransformer model, DetectorReportOptions options)
    {
        (string Name, ModelRole Role, ITransformer? Model)[] entries =
        [
            ("teacher", ModelRole.Teacher, options.Teacher), ("student alone", ModelRole.Alone, options.Alone),
            options.Teacher is null && options.Alone is null ? ("model", ModelRole.Model, model) : ("student distilled", ModelRole.Distilled, model),
            ("student quantised", ModelRole.Quantised, options.Quantised),
        ];
        (ReportedModel Known, OnnxModelFile File)[] models = [.. entries.Where(entry => entry.Model is not null).Select(entry =>
        {
            OnnxModelFile file = FittedDetectors.In(entry.Model!);
            return (Known(entry.Name, entry.Role, file, file.Model.CalculateSize()), file);
        })];
        ReportContent content = new(options.Title, [.. models.Select(entry => entry.Known)]) { Made = DateTimeOffset.Now, Pictures = options.Pictures };
        if (options.TestSet is null) return content;

        var test = ReportTestSet.Measure(options, [.. models.Select(entry => entry.File)]);
        return content with { Images = test.Images, Models = [.. models.Select((entry, m) => test.AddTo(entry.Known, m))] };
    }

    /// <summary>What a model's file tells of it.</summary>
    public static ReportedModel Known(string name, ModelRole role, OnnxModelFile file, long bytes) => new(name, role)
    {
        Parameters = CountParameters(file),
        Bytes = bytes,
        Training = TrainingRecord.In(file.Metadata),
    };

    /// <summary>The learnt parameters: those of the state dict, without the running statistics of batch normalisation.</summary>
    public static long CountParameters(OnnxModelFile model)
        => model.Parameters().Where(p => !IsConstant(p.Key)).Sum(p => (long)p.Value.Values.Length) + model.Integers().Sum(p => (long)p.Value.Values.Length);

    private static bool IsConstant(string name)
        => name.StartsWith("const_", StringComparison.Ordinal)
        || name.EndsWith(".running_mean", StringComparison.Ordinal)
        || name.EndsWith(".running_var", StringComparison.Ordinal)
        || QuantizedParameters.IsScale(name);
}
