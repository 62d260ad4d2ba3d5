using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>How some implementation of a network saves what torchvision saves under other names, and perhaps in another order.</summary>
internal interface ICheckpointDialect
{
    /// <summary>Whether a checkpoint with these names is one of this implementation's.</summary>
    bool Speaks(IEnumerable<string> names);

    /// <summary>torchvision's name of a parameter.</summary>
    string Translate(string name);

    /// <summary>The values of a parameter in torchvision's order.</summary>
    /// <param name="name">torchvision's name.</param>
    Tensor Arrange(string name, Tensor values);
}
