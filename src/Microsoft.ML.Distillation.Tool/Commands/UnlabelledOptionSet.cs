using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

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
