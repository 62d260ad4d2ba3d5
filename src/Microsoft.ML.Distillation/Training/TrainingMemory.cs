using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Files;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Tells when memory has run out in training, and what to do about it.</summary>
internal static class TrainingMemory
{
    // What libtorch's allocators say, on the CPU and on CUDA.
    private static readonly string[] Signs = ["not enough memory", "can't allocate memory", "out of memory"];

    /// <summary>Whether an exception says that memory has run out.</summary>
    public static bool RanOut(Exception exception) => exception is OutOfMemoryException
        || exception is ExternalException && Array.Exists(Signs, sign => exception.Message.Contains(sign, StringComparison.Ordinal));

    /// <summary>The error that names what took the memory.</summary>
    /// <param name="batch">The images of the step.</param>
    /// <param name="step">The number of the step, from 1.</param>
    /// <param name="device">Where the student is.</param>
    /// <param name="inner">What says that memory has run out.</param>
    public static InsufficientMemoryException Error(DetectionBatch batch, int step, Device device, Exception inner)
    {
        string views = string.Join(" and ", batch.Views.Select(view => $"{view.shape[3]}×{view.shape[2]}"));
        return new InsufficientMemoryException(string.Create(CultureInfo.InvariantCulture,
            $"Memory ran out at step {step} of the training on {device}, which takes "
            + $"{Counted.Of(batch.Count, "image")} of {views} pixels at once. Lower the option BatchSize (and raise the option "
            + $"AccumulatedBatches, for steps of as many images), or the option InputSize, or train a smaller network."), inner);
    }
}
