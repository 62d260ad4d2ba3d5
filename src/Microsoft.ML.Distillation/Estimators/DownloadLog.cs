using System.Globalization;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Writes a line to <see cref="MLContext.Log"/> for each tenth of a download.</summary>
internal sealed class DownloadLog(IChannel channel) : IProgress<DownloadProgress>
{
    private long _tenths = -1;

    /// <inheritdoc/>
    public void Report(DownloadProgress value)
    {
        long tenths = value.Total > 0 ? 10 * value.Received / value.Total : 0;
        if (tenths == _tenths) return;
        _tenths = tenths;
        channel.Info(MessageSensitivity.None, string.Create(CultureInfo.InvariantCulture,
            $"Downloading weights: {value.Received / 1e6:0.0} of {value.Total / 1e6:0.0} MB"));
    }
}
