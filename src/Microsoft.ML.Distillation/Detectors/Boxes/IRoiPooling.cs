using Microsoft.ML.Distillation.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Boxes;

/// <summary>Turns regions of a feature map into features of one size.</summary>
internal interface IRoiPooling
{
    /// <summary>The features [R,C,S,S] of regions on a batch of maps; differentiable in the map.</summary>
    /// <param name="map">[N,C,h,w].</param>
    /// <param name="boxes">For each of the N images its regions [R_i,4], in pixels of the input.</param>
    /// <param name="scale">Cells of the map for one pixel of the input: 1/stride.</param>
    Tensor Pool(Tensor map, IReadOnlyList<Tensor> boxes, float scale);

    /// <summary>Writes the pooling of regions [R,4] on the map [1,C,h,w] of one image into an ONNX graph.</summary>
    string Write(GraphBuilder graph, string map, string boxes, float scale);
}
