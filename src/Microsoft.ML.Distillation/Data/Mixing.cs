using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Shows several images of a batch in one: four at half their size (the mosaic of Bochkovskiy et al., YOLOv4, 2020), or one through another
/// (the mixup of Zhang et al., Bag of Freebies for Training Object Detection Neural Networks, 2019). Every view is mixed alike, so that
/// teacher and student see the same, and each image has the objects of all that are to be seen in it.
/// </summary>
internal static class Mixing
{
    /// <summary>Mixes the images of a batch among themselves.</summary>
    /// <param name="batch">The batch; it is disposed where the result is another.</param>
    /// <param name="random">Draws which images are mixed, with which others, and how.</param>
    public static DetectionBatch Apply(DetectionBatch batch, AugmentationOptions options, Random random)
    {
        if (!options.MixesImages || batch.Count == 0) return batch;
        // The same numbers are drawn whatever the shares, so that one does not change what the other does. The batch has one shift: no two
        // of its mosaics are alike.
        int shift = random.Next(4);
        (bool IsMosaic, int? Other)[] drawn = [.. Enumerable.Range(0, batch.Count).Select(_ => Draw(options, batch.Count, random))];
        using (batch)
        {
            Annotation[] quartered = [.. drawn.Select((image, i) => image.IsMosaic
                ? Union(Enumerable.Range(0, 4).Select(cell => Quarter(batch.Annotations[Source(i, cell, shift, batch.Count)], cell)))
                : batch.Annotations[i])];
            return batch with
            {
                Views = [.. batch.Views.Select(view => Mix(view, drawn, shift))],
                Annotations = [.. drawn.Select((image, i) => image.Other is { } other
                    ? Union([quartered[i], quartered[(i + other) % batch.Count]]) : quartered[i])],
            };
        }
    }

    private static (bool IsMosaic, int? Other) Draw(AugmentationOptions options, int count, Random random)
    {
        bool isMosaic = random.NextSingle() < options.MosaicShare, isMixup = random.NextSingle() < options.MixupShare;
        int other = 1 + random.Next(Math.Max(1, count - 1));
        return (isMosaic, isMixup && count > 1 ? other : null);
    }

    /// <summary>Which of the batch's images a cell of the mosaic of an image shows; a small batch shows some twice.</summary>
    private static int Source(int image, int cell, int shift, int count) => (image + (cell + shift) % 4) % count;

    private static Tensor Mix(Tensor view, (bool IsMosaic, int? Other)[] drawn, int shift)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        (long height, long width) = (view.shape[2], view.shape[3]);
        Tensor quartered = view.clone();
        for (int i = 0; i < drawn.Length; i++)
        {
            if (!drawn[i].IsMosaic) continue;
            for (int cell = 0; cell < 4; cell++)
            {
                (long left, long across) = Half(width, cell % 2 == 1);
                (long top, long down) = Half(height, cell / 2 == 1);
                Tensor source = view[Source(i, cell, shift, drawn.Length)];
                quartered[i].narrow(1, top, down).narrow(2, left, across).copy_(functional.adaptive_avg_pool2d(source, [down, across]));
            }
        }

        Tensor mixed = quartered.clone();
        for (int i = 0; i < drawn.Length; i++)
        {
            if (drawn[i].Other is { } other) mixed[i].copy_(stack([quartered[i], quartered[(i + other) % drawn.Length]]).mean([0L]));
        }

        return mixed.MoveToOuterDisposeScope();
    }

    private static (long From, long Length) Half(long length, bool second)
        => second ? (length / 2, length - length / 2) : (0, length / 2);

    private static Annotation Quarter(Annotation annotation, int cell)
        => annotation with { Boxes = [.. annotation.Boxes.Select((share, i) => (share + (i % 2 == 0 ? cell % 2 : cell / 2)) / 2)] };

    private static Annotation Union(IEnumerable<Annotation> parts)
        => new([.. parts.SelectMany(part => part.Boxes)], [.. parts.SelectMany(part => part.Labels)]);
}
