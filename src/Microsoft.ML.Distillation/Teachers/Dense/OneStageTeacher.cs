using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Dense;

/// <summary>
/// A one-stage detector of this library as a teacher. It cannot be shown boxes, so it answers from its predictions at all its locations
/// by <see cref="OverlapRule"/>, as an ONNX teacher does; its feature maps are those of its backbone and neck.
/// </summary>
internal sealed class OneStageTeacher : ITeacher
{
    /// <summary>The score from which on a prediction is its opinion, and that below which it is noise: as for ONNX teachers.</summary>
    private const double ConfidentScore = 0.3, NoiseScore = ConfidentScore / 3;

    private static readonly OnnxTeacherOptions Defaults = new();

    private readonly FrozenDetector<OneStageDetector> _own;
    private readonly OverlapRule _rule = new(ConfidentScore, Defaults.MatchOverlap, Defaults.ForeignOverlap);

    /// <param name="detector">The detector, which from now on belongs to the teacher.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the teacher runs.</param>
    /// <exception cref="ArgumentException">The two have no class in common.</exception>
    public OneStageTeacher(OneStageDetector detector, IReadOnlyList<string> studentClasses, Device device)
    {
        _own = new FrozenDetector<OneStageDetector>(detector, studentClasses, device);
        Abilities = _own.Abilities(ConfidentScore) with { HasBoxDistributions = true, CrossHead = detector };
    }

    public ImageSize InputSize => _own.InputSize;

    public TeacherAbilities Abilities { get; }

    public ITeacherView View(DetectionBatch batch)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlyDictionary<string, Tensor> features = _own.Features(batch);
        DenseOutput answer = _own.Network.Answer(features);
        StudentPredictions[] predictions = [.. Predictions(answer).Select(dense => _own.Classes.Map(dense, NoiseScore))];
        answer.Logits.DetachFromDisposeScope();
        answer.Edges.DetachFromDisposeScope();
        return new BatchView(features, answer, new DenseAnswers(_rule, _own.Classes.StudentClasses, predictions, _own.Device));
    }

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes) => _own.Detect(images);

    public void Dispose() => _own.Dispose();

    /// <summary>The predictions of each image but for the noise.</summary>
    private IEnumerable<DensePredictions> Predictions(DenseOutput answer)
    {
        float[] scores = TensorArrays.Floats(answer.Logits.sigmoid()), shares = TensorArrays.Floats(answer.Edges.softmax(-1));
        OneStageDetector detector = _own.Network;
        PointGrid grid = detector.Grid;
        int points = grid.Count, classes = detector.ClassNames.Count, step = 4 * detector.Config.Bins;
        var frame = new InputFrame(InputSize, 0, 0, InputSize.Width, InputSize.Height);
        for (int n = 0; n < (int)answer.Logits.shape[0]; n++)
        {
            var sink = new PredictionSink(frame, (float)NoiseScore);
            for (int i = 0; i < points; i++)
            {
                int row = n * points + i;
                sink.AddDistributions(
                    grid.X[i], grid.Y[i], grid.Strides[i], shares.AsSpan(row * step, step), scores.AsSpan(row * classes, classes));
            }

            yield return sink.ToPredictions();
        }
    }

    private sealed class BatchView(IReadOnlyDictionary<string, Tensor> features, DenseOutput answer, DenseAnswers answers) : ITeacherView
    {
        public Tensor Feature(string name) => features[name];

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes) => answers.ScoreBoxes(boxes);

        public AnchorScores ScoreAnchors(Tensor anchors) => answers.ScoreAnchors(anchors);

        public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => answers.ScoreEdges(boxes);

        public DenseOutput HeadAnswer => answer;

        public void Dispose()
        {
            foreach (Tensor map in features.Values) map.Dispose();
            answer.Logits.Dispose();
            answer.Edges.Dispose();
        }
    }
}
