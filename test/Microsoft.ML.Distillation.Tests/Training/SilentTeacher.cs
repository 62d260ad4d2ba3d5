using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>A teacher who is wrong about everything, and either says that it has no opinion or that it does not know a class.</summary>
internal sealed class SilentTeacher(bool known, params int[] unknownClasses) : ITeacher
{
    public ImageSize InputSize => new(64, 64);

    public TeacherAbilities Abilities => ShownImages.PlainAbilities with { UnknownClasses = unknownClasses };

    public ITeacherView View(DetectionBatch batch) => new Wrong(batch.Count, known);

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Wrong(long images, bool known) : ITeacherView
    {
        public Tensor Feature(string name) => throw new NotSupportedException();

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
        {
            long rows = boxes.Sum(image => image.shape[0]);
            return new BoxScores(full([rows, 3], 1f / 3), cat([.. boxes]).unsqueeze(1))
            {
                Known =
                full([rows], known, dtype: ScalarType.Bool)
            };
        }

        public AnchorScores ScoreAnchors(Tensor anchors)
            => new(full([images, anchors.shape[0]], 0.5f), anchors.expand(images, -1, -1),
                full([images, anchors.shape[0]], known, dtype: ScalarType.Bool));

        public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => throw new NotSupportedException();

        public DenseOutput HeadAnswer => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
