using System.Globalization;

namespace Microsoft.ML.Distillation.Estimators.Labelling;

/// <summary>How far labelling has come.</summary>
/// <param name="Done">The images that are done, those of earlier runs too.</param>
/// <param name="Total">The images of the shard.</param>
/// <param name="ImagesPerSecond">The speed of this run.</param>
internal sealed record LabellingProgress(long Done, long Total, double ImagesPerSecond)
{
    /// <summary>The time that the rest will take at this speed; <see langword="null"/> before anything was done.</summary>
    public TimeSpan? Left => ImagesPerSecond > 0 ? TimeSpan.FromSeconds(Math.Ceiling((Total - Done) / ImagesPerSecond)) : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Done}/{Total} images  {ImagesPerSecond:0.0} images/s{(Left is TimeSpan left ? $"  {left:d\\.hh\\:mm\\:ss} left" : "")}");
}
