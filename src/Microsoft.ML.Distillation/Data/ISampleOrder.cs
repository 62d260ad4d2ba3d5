namespace Microsoft.ML.Distillation.Data;

/// <summary>A data set that decides itself which images an epoch shows, and in which order.</summary>
internal interface ISampleOrder
{
    /// <summary>The images of an epoch; one may come several times. Depends on nothing but the arguments.</summary>
    /// <param name="epoch">The number of the epoch, 0 or more.</param>
    /// <param name="length">The number of images in every epoch of the run.</param>
    int[] Order(int seed, int epoch, int length);

    /// <summary>A line that tells ways of ordering apart: a run with another way cannot be continued.</summary>
    string OrderDescription { get; }
}
