using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of further training images whose labels a detector generated.</summary>
internal sealed class GeneratedOptionSet
{
    /// <summary>The option that sets the share of the labelled images; the options of unlabelled images have it too.</summary>
    public static readonly Option<double?> Share = SharedOptions.Number(
        "--labelled-share", "The share of the labelled images in every batch, where there are others. [default: 0.6]", 0.01, 0.99);

    private readonly Option<string?> _generated = SharedOptions.Path("--generated", "Further images with labels of 'ml-distill label' (COCO, or Pascal VOC).", "DIR");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        options.Add(_generated);
        options.Add(Share);
    }

    /// <summary>Puts what was given into a copy of the options.</summary>
    public T Apply<T>(T options, ParseResult parsed, TrainingSession session) where T : DetectorEstimatorOptions
    {
        if (parsed.GetValue(_generated) is not string folder) return options;
        DetectorEstimatorOptions basis = options;
        return (T)(basis with { GeneratedSet = session.Generated(folder), LabelledShare = parsed.GetValue(Share) ?? basis.LabelledShare });
    }

    /// <summary>Whether there are such images.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_generated) is not null;
}
