using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Backbones;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>A detector whose layers can be taken apart.</summary>
/// <typeparam name="T">Its kind.</typeparam>
internal interface ICompressible<T> where T : Detector
{
    /// <summary>The network of whose convolutions a share of the multiplications can be asked for.</summary>
    BackboneNetwork Backbone { get; }

    /// <summary>The fully connected layers of the head that can be, with their cost for one region.</summary>
    IReadOnlyList<LayerShape> FullyConnected { get; }

    /// <summary>The layers that are in parts, by their names in the state dict, with the channels in the middle (see <see cref="CompressionOptions.Ranks"/>).</summary>
    IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks { get; }

    /// <summary>Sends images [N,3,H,W] through all convolutions that can be.</summary>
    void RunConvolutions(Tensor images);

    /// <summary>A fresh network of the same architecture with layers in parts.</summary>
    T InParts(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks);
}
