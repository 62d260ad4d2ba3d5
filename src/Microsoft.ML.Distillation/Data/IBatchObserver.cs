namespace Microsoft.ML.Distillation.Data;

/// <summary>A data set that is told which of its images training sees next, and how they are varied.</summary>
internal interface IBatchObserver
{
    /// <summary>Is called on the thread that trains, just before it is given the batch.</summary>
    void Showing(DetectionBatch batch);
}
