using System.Globalization;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// Counts, over the first images of a training, on how many of the boxes with an object that a student asks about its teacher has an
/// opinion, by the objects' sizes, and says so once: a teacher that is silent on small objects, or takes them for background, cannot teach
/// them.
/// </summary>
internal sealed class KnownShares
{
    /// <summary>How many images tell.</summary>
    public const int Images = 100;

    private static readonly (double Below, string Name)[] Sizes =
        [(16, "below 16 pixels"), (32, "of 16 to 32"), (64, "of 32 to 64"), (double.PositiveInfinity, "of 64 and more")];

    private readonly Dictionary<string, Counts> _counts = [];
    private Action<string>? _say;
    private int _images;

    /// <summary>Whether there is somebody who wants to know, and it has not been said yet.</summary>
    public bool IsCounting => _say is not null && _images < Images;

    /// <summary>Names the listener.</summary>
    public void Tell(Action<string> say) => _say = say;

    /// <summary>Counts boxes with an object.</summary>
    /// <param name="kind">What was asked about, in the plural.</param>
    /// <param name="objects">Their objects' boxes [Q,4], in pixels of the student's input.</param>
    /// <param name="known">Where the teacher has an opinion, bool [Q]; <see langword="null"/>: everywhere.</param>
    /// <param name="objectness">Its probability of there being an object [Q].</param>
    public void Add(string kind, Tensor objects, Tensor? known, Tensor objectness)
    {
        if (!IsCounting) return;
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar half = 0.5, zero = 0;
        float[] boxes = TensorArrays.Floats(objects), sees = TensorArrays.Floats(objectness.ge(half).to_type(ScalarType.Float32));
        float[] has = known is null ? [.. sees.Select(_ => 1f)] : TensorArrays.Floats(known.to_type(ScalarType.Float32));
        if (!_counts.TryGetValue(kind, out Counts? counts)) _counts[kind] = counts = new Counts();
        for (int i = 0; i < sees.Length; i++)
        {
            double side = Math.Sqrt(Math.Max(0, (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1])));
            int size = Array.FindIndex(Sizes, range => side < range.Below);
            counts.All[size]++;
            if (has[i] == 0) continue;
            counts.Known[size]++;
            if (sees[i] == 0) counts.Contradicted++;
        }
    }

    /// <summary>Ends a batch; after enough images says what was counted.</summary>
    public void EndBatch(int images)
    {
        if (!IsCounting || (_images += images) < Images) return;
        foreach ((string kind, Counts counts) in _counts)
        {
            int all = counts.All.Sum(), known = counts.Known.Sum();
            if (all == 0) continue;
            string[] bySize = [.. Enumerable.Range(0, Sizes.Length).Where(i => counts.All[i] > 0)
                .Select(i => $"{Sizes[i].Name} {Percent(counts.Known[i], counts.All[i])}")];
            _say!($"Of the {kind} on objects the teacher has an opinion on {Percent(known, all)} (objects {string.Join(", ", bySize)}), "
                + $"and takes {Percent(counts.Contradicted, Math.Max(1, known))} of these for background");
        }
    }

    private static string Percent(int part, int all) => string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / all:0} %");

    /// <summary>Of one kind of boxes, the numbers of each size.</summary>
    private sealed class Counts
    {
        public int[] All { get; } = new int[Sizes.Length];

        public int[] Known { get; } = new int[Sizes.Length];

        public int Contradicted { get; set; }
    }
}
