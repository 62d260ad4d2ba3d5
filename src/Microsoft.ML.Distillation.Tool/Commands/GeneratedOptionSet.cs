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

/// <summary>The options of images that have no labels: the teacher labels them.</summary>
internal sealed class UnlabelledOptionSet
{
    private readonly Option<string?> _images = SharedOptions
        .Path("--unlabelled", "Images without labels, for which the teacher's detections stand in.", "DIR");
    private readonly Option<double?> _score = SharedOptions.Number(
        "--label-score", "The score from which on a detection is a label. [default: so that an image has as many labels as the labelled "
            + "ones]", 1e-6, 1);
    private readonly Option<bool> _perClass = new("--labels-per-class") { Description = "Choose that score for each class by itself." };

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_images, _score, _perClass]) options.Add(option);
    }

    /// <summary>Puts what was given into a copy of the options.</summary>
    /// <exception cref="UsageException">An option is given that needs another.</exception>
    public DistillDetectorOptions Apply(DistillDetectorOptions options, ParseResult parsed, TrainingSession session)
    {
        if (parsed.GetValue(_images) is not string folder) return NoneGiven(parsed) ? options
            : throw new UsageException("--label-score and --labels-per-class go with --unlabelled.");
        return options with
        {
            UnlabelledSet = session.ImagesOf(InputImages.Find(folder)),
            LabelledShare = parsed.GetValue(GeneratedOptionSet.Share) ?? options.LabelledShare,
            GeneratedLabels = Labels(parsed),
        };
    }

    /// <summary>
    /// The epochs of a student that learns from the labelled images alone and makes as many steps as the one that sees all images;
    /// and of the latter. <see langword="null"/>: as the options say, for there are no further images.
    /// </summary>
    public (int All, int Alone)? Epochs(ParseResult parsed, TrainingSession session, int? asked)
    {
        if (parsed.GetValue(_images) is not string folder) return null;
        return GeneratedOptionSet.Epochs(session.CountTrain(), InputImages.Find(folder).Count, asked);
    }

    private GeneratedLabelOptions Labels(ParseResult parsed)
        => new() { ScoreThreshold = parsed.GetValue(_score), PerClass = parsed.GetValue(_perClass) };

    private bool NoneGiven(ParseResult parsed) => parsed.GetValue(_score) is null && !parsed.GetValue(_perClass);
}
