using System.Text.Json;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Measures a detector on annotated images.</summary>
internal static class Validator
{
    /// <summary>COCO's figures on a data set. Switches the detector to evaluation mode.</summary>
    /// <param name="detector">The detector, whose classes are those of the data.</param>
    /// <param name="data">The images.</param>
    /// <param name="device">Where the detector is.</param>
    /// <param name="batchSize">The number of images at once; it does not change the figures.</param>
    /// <param name="loaderThreads">The number of threads that prepare images; 0 for half of the processors.</param>
    /// <param name="ranks">The processes that share the images; each gets the figures on all of them.</param>
    /// <param name="cancellation">Ends the evaluation.</param>
    public static CocoMetrics Evaluate(
        Detector detector, IDetectionDataset data, Device device, int batchSize, int loaderThreads, RankGroup ranks,
        CancellationToken cancellation)
    {
        detector.eval();
        using IDisposable frozen = no_grad();
        // Images that turn out to be unreadable stay null, and count for nothing.
        var found = new Detections?[data.Count];
        var loader = new BatchLoader(data, [detector.InputSize], batchSize, AugmentationOptions.None, workers: loaderThreads,
            rank: ranks.Rank, ranks: ranks.Count);
        foreach (DetectionBatch batch in loader.Epoch(seed: 0, epoch: 0, shuffle: false, cancellation))
        {
            using var scope = NewDisposeScope();
            using (batch)
            {
                IReadOnlyList<Detections> answers = detector.Detect(batch.Views[0].to(device));
                for (int i = 0; i < batch.Count; i++) found[batch.Indices[i]] = answers[i];
            }
        }

        if (ranks.AreSeveral) Exchange(found, ranks);
        return CocoEvaluator.Evaluate(
            [.. found.Index().Where(image => image.Item is not null).Select(image => Compare(data, image.Index, image.Item!))],
            data.ClassNames);
    }

    /// <summary>Fills in what the other ranks found.</summary>
    private static void Exchange(Detections?[] found, RankGroup ranks)
    {
        var own = found.Index().Where(image => image.Item is not null).ToDictionary(image => image.Index, image => image.Item!);
        foreach (byte[] answers in ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own)))
        {
            foreach ((int index, Detections answer) in JsonSerializer.Deserialize<Dictionary<int, Detections>>(answers)!)
                found[index] = answer;
        }
    }

    private static EvaluationImage Compare(IDetectionDataset data, int index, Detections found)
    {
        ImageSize size = data.SizeOf(index);
        Annotation truth = data.AnnotationOf(index);
        return EvaluationImage.FromShares(size.Width, size.Height, truth.Boxes, truth.Labels, found.Boxes, found.Scores, found.Labels);
    }
}
