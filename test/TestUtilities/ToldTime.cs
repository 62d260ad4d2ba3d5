namespace Microsoft.ML.Distillation.Tests;

/// <summary>A clock that goes as it is told.</summary>
internal sealed class ToldTime : TimeProvider
{
    private long _now = 1_000_000;

    /// <inheritdoc/>
    public override long TimestampFrequency => 1000;

    /// <inheritdoc/>
    public override long GetTimestamp() => _now;

    /// <summary>Lets time pass.</summary>
    public void Pass(double seconds) => _now += (long)Math.Round(1000 * seconds);
}
