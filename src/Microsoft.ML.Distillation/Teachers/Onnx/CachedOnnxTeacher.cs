using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Onnx;

/// <summary>
/// An ONNX teacher that looks at each image once, as it is, and answers for every variation of it from what it saw: its predictions are
/// cut and mirrored as the ground truth is. Colours do not count. Without hints, for which the graph would have to run.
/// </summary>
/// <param name="teacher">The teacher, which from now on belongs to this one.</param>
/// <param name="cache">Where its answers are kept.</param>
internal sealed class CachedOnnxTeacher(OnnxTeacher teacher, AnswerCache cache) : ITeacher
{
    private const int LargestBatch = 8;

    private IDetectionDataset? _data;
    private string?[] _keys = [];

    public ImageSize InputSize => teacher.InputSize;

    public TeacherAbilities Abilities { get; } = teacher.Abilities with { FeatureMaps = [], LooksAtBatches = false };

    /// <summary>The number of images that the model has looked at.</summary>
    public int Looks { get; private set; }

    /// <summary>Answers for a batch from the whole images of its data set. Images that are of none the model looks at itself.</summary>
    public ITeacherView View(DetectionBatch batch)
    {
        if (batch.Source is not { } data) return teacher.View(batch);
        if (data != _data) (_data, _keys) = (data, new string?[data.Count]);
        DensePredictions[] answers = Answers(data, [.. batch.Indices]);
        return teacher.ViewOf([.. answers.Zip(batch.Geometries, Through)]);
    }

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes) => teacher.Detect(images, sizes);

    public void Dispose() => teacher.Dispose();

    /// <summary>Predictions for an image as predictions for a variation of it, by the rule by which its objects are varied.</summary>
    internal static DensePredictions Through(DensePredictions predictions, ImageGeometry geometry)
    {
        if (geometry == ImageGeometry.Identity || predictions.Count == 0) return predictions;
        Annotation shown = geometry.Apply(new Annotation(predictions.Boxes, [.. Enumerable.Range(0, predictions.Count)]));
        int classes = predictions.Probabilities.Length / predictions.Count;
        return new DensePredictions(
            shown.Boxes, [.. shown.Labels.SelectMany(i => predictions.Probabilities[(i * classes)..((i + 1) * classes)])],
            [.. shown.Labels.Select(i => predictions.Confidences[i])])
        {
            Edges = predictions.Edges?.Of(shown.Labels).Through(geometry),
        };
    }

    private DensePredictions[] Answers(IDetectionDataset data, int[] indices)
    {
        var answers = new DensePredictions?[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            _keys[indices[i]] ??= cache.KeyOf(data.Read(indices[i]));
            answers[i] = cache.Read(_keys[indices[i]]!);
        }

        int[] missing = [.. Enumerable.Range(0, indices.Length).Where(i => answers[i] is null)];
        foreach (int[] some in missing.Chunk(LargestBatch))
        {
            using var scope = NewDisposeScope();
            int[] images = [.. some.Select(i => indices[i])];
            using DetectionBatch whole = BatchLoader.Load(data, images, teacher.InputSize);
            IReadOnlyList<DensePredictions> found = teacher.Predict(whole.Views[0], whole.Sizes);
            for (int k = 0; k < some.Length; k++)
            {
                answers[some[k]] = found[k];
                cache.Write(_keys[images[k]]!, found[k]);
            }

            Looks += some.Length;
        }

        return answers!;
    }
}
