using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// The images beyond the labelled ones that training draws from: those with generated labels that the options name, and those
/// without labels, which the teacher labels first.
/// </summary>
internal sealed class AdditionalImages : IDisposable
{
    private readonly List<IDisposable> _stores = [];

    private AdditionalImages(IDetectionDataset labelled) => (Labelled, Training) = (labelled, labelled);

    /// <summary>The labelled images; where there are none, those that the teacher labelled.</summary>
    public IDetectionDataset Labelled { get; private set; }

    /// <summary>What training draws from: the labelled images, and the others where there are some.</summary>
    public IDetectionDataset Training { get; private set; }

    /// <summary>Reads and labels them.</summary>
    /// <param name="read">Reads annotated images.</param>
    /// <param name="ingest">How images without labels are read.</param>
    /// <param name="labelled">The labelled images.</param>
    /// <param name="options">The options, with what is left open decided.</param>
    /// <param name="teacher">The teacher, where there is one.</param>
    /// <param name="channel">Is told what became of the images.</param>
    /// <exception cref="InvalidDataException">The teacher is sure of nothing in the images without labels.</exception>
    public static AdditionalImages Of(
        Func<IDataView, SampleStore> read, DataViewIngestOptions ingest, IDetectionDataset labelled, DetectorEstimatorOptions options,
        ITeacher? teacher, IChannel channel)
    {
        var result = new AdditionalImages(labelled);
        try
        {
            if (options is DistillDetectorOptions { WithoutLabels: true } alone) result.LabelAll(alone, teacher!, channel);
            if (options.GeneratedSet is { } generated) result.Join(WithLabels(result.Keep(read(generated))), options.LabelledShare);
            if (options is DistillDetectorOptions { UnlabelledSet: { } view } distilled)
            {
                SampleStore images = result.Keep(new DataViewIngest(ingest)
                    .ReadUnlabelled(view, nameof(DistillDetectorOptions.UnlabelledSet), options.CancellationToken));
                RelabelledDataset sure = TeacherLabels.Of(
                    teacher!, images, labelled, distilled.GeneratedLabels, options.BatchSize, options.LoaderThreads,
                    options.CancellationToken, out LabelThresholds thresholds);
                Say(channel, nameof(DistillDetectorOptions.UnlabelledSet), images.Count, sure, thresholds.Scores);
                if (thresholds.Shortage is { } shortage)
                    channel.Warning(MessageSensitivity.None,
                        $"{shortage} {nameof(GeneratedLabelOptions)}.{nameof(GeneratedLabelOptions.ScoreThreshold)} gives another score");
                result.Join(sure, options.LabelledShare);
            }
        }
        catch
        {
            result.Dispose();
            throw;
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable store in _stores) store.Dispose();
    }

    private void LabelAll(DistillDetectorOptions options, ITeacher teacher, IChannel channel)
    {
        float[] thresholds = [.. Training.ClassNames
            .Select(_ => (float)(options.GeneratedLabels.ScoreThreshold ?? teacher.Abilities.ConfidentScore))];
        RelabelledDataset sure = TeacherLabels.Of(
            teacher, Training, Training.ClassNames, thresholds, options.BatchSize, options.LoaderThreads, options.CancellationToken);
        Say(channel, "the training data", Training.Count, sure, thresholds);
        Labelled = Training = sure;
    }

    private void Join(IDetectionDataset others, double labelledShare) => Training = new UnionDataset(Training, others, labelledShare);

    /// <summary>
    /// The images that have labels: where the detector that labelled them was sure of nothing, that does not make them background.
    /// </summary>
    private static RelabelledDataset WithLabels(SampleStore generated)
    {
        (int Index, Annotation Annotation)[] samples = [.. Enumerable.Range(0, generated.Count)
            .Select(i => (i, generated.AnnotationOf(i))).Where(sample => sample.Item2.Count > 0)];
        return samples.Length > 0
            ? new RelabelledDataset(generated, generated.ClassNames, samples)
            : throw new InvalidDataException(
                $"Of {Counted.Of(generated.Count, "image")} of {nameof(DetectorEstimatorOptions.GeneratedSet)} none has a label.");
    }

    private T Keep<T>(T store) where T : IDisposable
    {
        _stores.Add(store);
        return store;
    }

    private static void Say(IChannel channel, string set, int images, RelabelledDataset sure, IReadOnlyList<float> thresholds)
    {
        string scores = string.Join(", ",
            sure.ClassNames.Select((name, c) => string.Create(CultureInfo.InvariantCulture, $"{name} {thresholds[c]:0.000}")));
        if (sure.Count == 0)
        {
            throw new InvalidDataException(
                $"The teacher is sure of no object in {Counted.Of(images, "image")} of {set} (thresholds: {scores}). "
                + $"Set {nameof(GeneratedLabelOptions)}.{nameof(GeneratedLabelOptions.ScoreThreshold)}, or leave the images out.");
        }

        int labels = Enumerable.Range(0, sure.Count).Sum(i => sure.AnnotationOf(i).Count);
        channel.Info(MessageSensitivity.None,
            $"The teacher labelled {sure.Count} of {Counted.Of(images, "image")} without labels with {Counted.Of(labels, "object")} "
                + $"(from the scores {scores}); in the others it is sure of nothing, they are not used");
    }
}
