using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of further training images whose labels a detector generated.</summary>
internal sealed class GeneratedOptionSet
{
    /// <summary>The option that sets the share of the labelled images; the options of unlabelled images have it too.</summary>
    public static readonly Option<double?> Share = SharedOptions.Number(
        "--labelled-share", "The share of the labelled images in every batch, where there are others. [default: 0.6]", 0.01, 0.99);

    private readonly Option<string?> _generated = SharedOptions
        .Path("--generated", "Further images with labels of 'ml-distill label' (COCO, or Pascal VOC).", "DIR");

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

    /// <summary>The epochs with and without the further images; see <see cref="Epochs(int, int, int?)"/>.</summary>
    public (int All, int Alone)? Epochs(ParseResult parsed, TrainingSession session, int? asked)
        => parsed.GetValue(_generated) is string folder ? Epochs(session.CountTrain(), session.CountGenerated(folder), asked) : null;

    /// <summary>
    /// The epochs of a student that sees labelled and further images, and those of one that sees the labelled ones alone and makes as
    /// many steps.
    /// </summary>
    public static (int All, int Alone) Epochs(int labelled, int others, int? asked)
    {
        int all = labelled + others, epochs = asked ?? TrainingOptions.DefaultEpochs(all);
        return (epochs, Math.Max(1, (int)Math.Round((double)epochs * all / labelled)));
    }
}
