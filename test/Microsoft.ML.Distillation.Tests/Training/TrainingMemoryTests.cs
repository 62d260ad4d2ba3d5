using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class TrainingMemoryTests
{
    [Test]
    public void MemoryThatRunsOutInLibtorch_IsAnErrorThatNamesBatchAndInput()
    {
        // More than any address space has: libtorch says what it says of too large a batch.
        Exception? found = Assert.Catch(() => empty(1L << 50).Dispose());
        Assert.That(TrainingMemory.RanOut(found!), found!.Message);
        Assert.That(TrainingMemory.RanOut(new InsufficientMemoryException()));
        Assert.That(TrainingMemory.RanOut(Assert.Catch(() => zeros(2).add(zeros(3)))!), Is.False, "another of libtorch's errors");

        using Tensor images = zeros(3, 3, 48, 64);
        using DetectionBatch batch = DetectionBatch.Of(images);
        InsufficientMemoryException error = TrainingMemory.Error(batch, 7, CPU, found);
        Assert.That(error.Message, Does.Contain("step 7").And.Contain("3 images of 64×48 pixels").And.Contain("the option BatchSize")
            .And.Contain("the option InputSize"));
        Assert.That(error.InnerException, Is.SameAs(found));
    }
}
