using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// A square convolution that keeps its resolution but for the stride; parameters <c>weight</c> and <c>bias</c> as in torch.
/// </summary>
/// <remarks>
/// oneDNN 3.7, which libtorch 2.10 computes convolutions with on the CPU, gives wrong values and wrong gradients where a dense
/// kernel is larger than 1×1 and its channels do not fill the blocks of 16 or 32 that oneDNN cuts them into (seen on AVX2 and
/// AVX-512; a test compares with a matrix product). So channels are filled up with zeros there, which is also no slower.
/// </remarks>
internal sealed class Convolution : nn.Module<Tensor, Tensor>
{
    private const int Pixels = 3;
    private const int Block = 16;

    // Named as in the state dict.
    private readonly Parameter weight;
    private readonly Parameter? bias;

    private readonly int _stride;
    private readonly int _groups;

    public Convolution(int from, int to, int kernel, int stride = 1, int groups = 1, bool bias = true)
        : base(nameof(Convolution))
    {
        weight = nn.Parameter(empty(to, from / groups, kernel, kernel));
        nn.init.kaiming_normal_(weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        this.bias = bias ? nn.Parameter(zeros(to)) : null;
        (_stride, _groups) = (stride, groups);
        RegisterComponents();
    }

    /// <summary>[to, from/groups, kernel, kernel].</summary>
    public Parameter Weight => weight;

    public override Tensor forward(Tensor input) => Apply(input, weight, bias, _stride, _groups);

    /// <param name="name">The name of this module in the state dict.</param>
    public string Write(GraphBuilder graph, string input, string name) => Write(graph, input, weight, bias, _stride, _groups, name);

    /// <summary>The convolution itself.</summary>
    /// <param name="weight">[to, from/groups, kernel, kernel].</param>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, int stride, int groups)
    {
        (long[] strides, long[] padding) = ([stride, stride], [weight.shape[2] / 2, weight.shape[3] / 2]);
        (int from, int to) = Missing(weight, groups);
        if ((from, to) == (0, 0) || input.device_type != DeviceType.CPU)
            return nn.functional.conv2d(input, weight, bias, strides, padding, groups: groups);

        using DisposeScope scope = NewDisposeScope();
        Tensor filled = from == 0 ? input : nn.functional.pad(input, [0, 0, 0, 0, 0, from]);
        Tensor kernels = nn.functional.pad(weight, [0, 0, 0, 0, 0, from, 0, to]);
        Tensor? offsets = bias is null || to == 0 ? bias : nn.functional.pad(bias, [0, to]);
        Tensor output = nn.functional.conv2d(filled, kernels, offsets, strides, padding);
        if (to > 0) output = output.narrow(1, 0, weight.shape[0]).contiguous();
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Writes a convolution into an ONNX graph.</summary>
    /// <param name="name">The name of the convolution in the state dict.</param>
    public static string Write(GraphBuilder graph, string input, Tensor weight, Tensor? bias, int stride, int groups, string name)
    {
        string kernels = graph.Parameter($"{name}.weight", TensorArrays.Floats(weight), weight.shape);
        string[] inputs = bias is null
            ? [input, kernels]
            : [input, kernels, graph.Parameter($"{name}.bias", TensorArrays.Floats(bias), bias.shape)];
        long padding = weight.shape[2] / 2;
        return graph.Add(
            "Conv",
            inputs,
            ("kernel_shape", weight.shape[2..]),
            ("strides", new[] { stride, stride }),
            ("pads", new[] { padding, padding, padding, padding }),
            ("group", groups));
    }

    /// <summary>The channels to fill up with.</summary>
    private static (int From, int To) Missing(Tensor weight, int groups)
    {
        (int to, int from, int kernel) = ((int)weight.shape[0], (int)weight.shape[1], (int)weight.shape[2]);
        return kernel > 1 && groups == 1 ? (MissingInputs(from), from <= Pixels ? 0 : Missing(to, Block)) : (0, 0);
    }

    /// <summary>Up to half a block of inputs is read without blocks; more than two blocks are taken in pairs.</summary>
    private static int MissingInputs(int channels) => channels switch
    {
        <= Block / 2 => 0,
        <= 2 * Block => Missing(channels, Block),
        _ => Missing(channels, 2 * Block),
    };

    private static int Missing(int channels, int block) => (block - channels % block) % block;
}
