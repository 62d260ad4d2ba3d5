using Google.Protobuf;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>
/// The file of a small classifier as an exporter would write it, with stages <c>/layer1/out</c> to <c>/layer5/out</c> of 8, 8, 12, 16
/// and 20 channels at the strides 2 to 32.
/// </summary>
internal sealed class TrunkFile : IDisposable
{
    private static readonly int[] Channels = [8, 8, 12, 16, 20];
    private readonly TemporaryFolder _folder = new();

    /// <param name="folded">Whether its batch normalisations are folded into its convolutions.</param>
    /// <param name="size">The width and height that it was exported with.</param>
    public TrunkFile(bool folded = false, int size = 64)
    {
        Graph = new TestGraph();
        string x = Graph.Image(size, size);
        int from = 3;
        for (int stage = 1; stage <= Channels.Length; stage++)
        {
            int to = Channels[stage - 1];
            x = Graph.Conv(x, from, to, 3, stride: 2, $"/layer{stage}/conv", bias: folded);
            if (!folded) x = Graph.Norm(x, to, $"/layer{stage}/bn");
            x = Graph.Node("Relu", $"/layer{stage}/down", [x]);
            string inner = Graph.Conv(x, to, to, 3, stride: 1, $"/layer{stage}/inner", bias: folded);
            if (!folded) inner = Graph.Norm(inner, to, $"/layer{stage}/inner_bn");
            x = Graph.Node("Relu", $"/layer{stage}/out", [Graph.Node("Add", $"/layer{stage}/sum", [x, inner])]);
            from = to;
        }

        string pooled = Graph.Node("Flatten", "/flat", [Graph.Node("GlobalAveragePool", "/pool", [x])], ("axis", 1));
        Graph.Node("Gemm", "logits", [pooled, Graph.Weights("fc.weight", -0.1f, 0.1f, 5, from), Graph.Weights("fc.bias", 0, 1, 5)],
            ("transB", 1));
        Path = _folder.Sub("trunk.onnx");
        File.WriteAllBytes(Path, Graph.Build("logits").ToByteArray());
    }

    /// <summary>The graph.</summary>
    public TestGraph Graph { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The names of stages' maps.</summary>
    public static string[] Maps(params int[] stages) => [.. stages.Select(stage => $"/layer{stage}/out")];

    /// <summary>The backbone of stages; without any those that are suggested.</summary>
    public Backbone Backbone(params int[] stages) => Distillation.Backbone.FromOnnx(Path, stages.Length == 0 ? null : Maps(stages));

    public void Dispose() => _folder.Dispose();
}
