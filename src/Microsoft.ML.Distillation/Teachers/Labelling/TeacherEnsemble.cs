using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

/// <summary>A teacher that looks at each image in several ways and merges what it finds.</summary>
/// <param name="teacher">The teacher. It still belongs to the caller.</param>
internal sealed class TeacherEnsemble(ITeacher teacher, EnsembleOptions options)
{
    private const int LargestBatch = 8;

    private readonly ImageGeometry[] _parts = [.. options.Transforms.SelectMany(ViewTiles.Of)];

    /// <summary>How often the teacher looks at each image.</summary>
    public int Looks => _parts.Length;

    /// <summary>What the teacher finds in an image, in its student's classes and in shares of the image, best first.</summary>
    public Detections Detect(RgbImage image)
    {
        var found = new List<Detections>();
        foreach (ImageGeometry[] parts in _parts.Chunk(LargestBatch)) found.AddRange(Look(image, parts));
        Detections merged = BoxVoting.Merge(found, (float)options.SuppressionOverlap, (float)options.VotingOverlap);
        int count = 0;
        while (count < merged.Count && merged.Scores[count] >= options.LeastScore) count++;
        return new Detections(merged.Boxes[..(4 * count)], merged.Scores[..count], merged.Labels[..count]);
    }

    private IEnumerable<Detections> Look(RgbImage image, ImageGeometry[] parts)
    {
        using var scope = NewDisposeScope();
        ImageSize size = teacher.InputSize, whole = new(image.Width, image.Height);
        Tensor views = empty(parts.Length, 3, size.Height, size.Width, float32, CPU);
        int length = 3 * size.Width * size.Height;
        for (int i = 0; i < parts.Length; i++)
        {
            Span<float> planes = MemoryMarshal.Cast<byte, float>(views.bytes).Slice(i * length, length);
            AntialiasedResize.Resize(image, parts[i].Region(whole), parts[i].Mirror, size, planes);
        }

        GC.KeepAlive(views);
        // All parts have the image's proportions.
        IReadOnlyList<Detections> answers = teacher.Detect(views, [.. parts.Select(_ => whole)]);
        return [.. answers.Zip(parts, ViewTiles.Back)];
    }
}
