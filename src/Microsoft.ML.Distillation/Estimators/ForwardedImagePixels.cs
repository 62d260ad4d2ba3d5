using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// Lets models load that version 0.1 saved: they look for the step <see cref="ImagePixels"/> in this assembly, where it was then.
/// </summary>
[CustomMappingFactoryAttribute(ImagePixels.ContractName)]
internal sealed class ForwardedImagePixels : CustomMappingFactory<ImagePixels.Input, ImagePixels.Output>
{
    /// <inheritdoc/>
    public override Action<ImagePixels.Input, ImagePixels.Output> GetMapping() => ImagePixels.Map;
}
