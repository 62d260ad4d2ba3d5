using System.Globalization;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Microsoft.ML.Distillation.Teachers.Onnx;

/// <summary>
/// Runs an ONNX detector in libtorch, on the student's device, where hints stay. It is held to ONNX Runtime when it is opened.
/// </summary>
internal sealed class TorchRunner : IModelRunner
{
    /// <summary>The largest difference from ONNX Runtime, as a share of the output's largest value.</summary>
    public const double Tolerance = 1e-3;

    private readonly GraphCut _cut;
    private readonly string _source;
    private readonly Device _device;
    private readonly IReadOnlyList<string> _outputs;
    private readonly IReadOnlyList<string> _hints;
    private readonly IReadOnlyList<(GraphNode Node, IReadOnlyList<string> Done)> _steps;
    private readonly Dictionary<string, GraphValue> _known = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _owned = [];
    private readonly List<Tensor[]> _maps = [];
    private bool _oneByOne;

    /// <param name="path">The .onnx file.</param>
    /// <param name="hints">Tensors of the graph that <see cref="TakeMaps"/> gives.</param>
    /// <param name="device">Where it runs.</param>
    /// <exception cref="NotSupportedException">An operator is not known; the message names it.</exception>
    /// <exception cref="ArgumentException">The graph has no tensor of a name.</exception>
    public TorchRunner(string path, IReadOnlyList<string> hints, Device device)
    {
        SessionLoader.CheckFile(path);
        var file = OnnxModelFile.Parse(File.ReadAllBytes(path), path);
        ModelProto model = file.Model;
        Metadata = file.Metadata;
        ExternalData.Fill(model, path);
        (_source, _hints, _device) = (path, hints, device);
        _outputs = [.. model.Graph.Output.Select(output => output.Name)];
        try
        {
            _cut = GraphCut.From(model, path, [.. _outputs.Union(hints)]);
        }
        catch (NotSupportedException e)
        {
            throw new NotSupportedException(
                $"{e.Message} {nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.RunIn)} = "
                + $"{nameof(OnnxTeacherRuntime.OnnxRuntime)} runs the teacher all the same.", e);
        }

        Input = new InputSpec(_cut.Input.Name, TensorElementType.Float, HasBatch: true, FixedBatch: null, _cut.Input.ChannelsLast,
            _cut.Input.Width, _cut.Input.Height);
        _steps = [.. GraphOrder.WithLastUses(_cut)];
        using DisposeScope scope = NewDisposeScope();
        foreach ((string name, TensorProto stored) in _cut.Initializers)
        {
            Tensor value = GraphTensors.Read(stored);
            if (_cut.Learned.Contains(name))
            {
                Tensor moved = value.to(device).DetachFromDisposeScope();
                _owned.Add(moved);
                _known[name] = GraphValue.Of(moved);
                continue;
            }

            var constant = new Constant(value);
            _owned.Add(constant);
            _known[name] = GraphValue.Of(constant);
        }
    }

    /// <inheritdoc/>
    public InputSpec Input { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Inputs => [Input.Name];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public string? Fallback => null;

    /// <inheritdoc/>
    public bool OutputsBatched => true;

    /// <summary>The hints' names and channels for images of a size.</summary>
    /// <exception cref="ArgumentException">A tensor is no feature map.</exception>
    public IReadOnlyList<(string Name, int Channels)> HintChannels(ImageSize size)
    {
        using DisposeScope scope = NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> values = Compute(zeros(Input.Shape(1, size), device: _device));
        return [.. _hints.Select(name => (name, values[name].shape is [1, long channels, _, _] ? (int)channels
            : throw new ArgumentException($"The tensor '{name}' [{string.Join(", ", values[name].shape)}] is no feature map: a hint is "
                + "[1, channels, height, width] for an image.")))];
    }

    /// <inheritdoc/>
    /// <remarks>There is no input beside the image that could be told a size.</remarks>
    public OnnxAnswer[] Run(
        float[] images, ImageSize size, IReadOnlyList<ImageSize>? told = null, CancellationToken cancellation = default)
    {
        int count = images.Length / (3 * size.Width * size.Height);
        using DisposeScope scope = NewDisposeScope();
        Tensor batch = tensor(images, [count, 3, size.Height, size.Width]).to(_device);
        if (!_oneByOne && count > 1)
        {
            try
            {
                if (Answers(batch, count) is { } together) return together;
            }
            catch (GraphRunException)
            {
                // The graph spells out a batch of one image.
            }

            _oneByOne = true;
        }

        var answers = new List<OnnxAnswer>();
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            answers.AddRange(Answers(batch.narrow(0, i, 1), 1)!);
        }

        return [.. answers];
    }

    /// <summary>The hints of the images that were run since the last call, [N,C,h,w] each, in the order of their names.</summary>
    public IReadOnlyList<Tensor> TakeMaps()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] maps = [.. _hints.Select((_, i) => cat([.. _maps.Select(run => run[i])]).MoveToOuterDisposeScope())];
        DropMaps();
        return maps;
    }

    /// <summary>Lets go of the hints.</summary>
    public void DropMaps()
    {
        foreach (Tensor map in _maps.SelectMany(run => run)) map.Dispose();
        _maps.Clear();
    }

    /// <summary>Holds the outputs to ONNX Runtime's for an image of noise.</summary>
    /// <exception cref="NotSupportedException">They differ.</exception>
    public void Check(ImageSize size, OnnxDetectorOptions options, OnnxPreprocessing preprocessing)
    {
        var random = new Random(1);
        var image = new float[3 * size.Width * size.Height];
        for (int i = 0; i < image.Length; i++) image[i] = random.NextSingle();
        var seen = new float[image.Length];
        new InputWriter(preprocessing).Write(image, InputFrame.For(size, size, preprocessing.Fit), seen);
        using var reference = new OnnxRunner(_source, [], options);
        OnnxAnswer expected = reference.Run(seen, size)[0], actual = Run(seen, size)[0];
        DropMaps();
        foreach ((OnnxOutput here, OnnxOutput there) in actual.Outputs.Zip(expected.Outputs))
        {
            double difference = RelativeDifference(here.Values.Span, there.Values.Span);
            if (difference <= Tolerance) continue;
            throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture,
                $"What libtorch computes for the output '{here.Name}' of '{_source}' differs from ONNX Runtime's by {difference:0.0e0} "
                    + $"of its largest value. Set {nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.RunIn)} to "
                    + $"{nameof(OnnxTeacherRuntime.OnnxRuntime)}."));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DropMaps();
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    /// <summary>The largest difference as a share of the largest value; infinite where the lengths differ.</summary>
    private static double RelativeDifference(ReadOnlySpan<float> here, ReadOnlySpan<float> there)
    {
        if (here.Length != there.Length) return double.PositiveInfinity;
        double difference = 0, largest = 1e-6;
        for (int i = 0; i < here.Length; i++)
        {
            difference = Math.Max(difference, Math.Abs(here[i] - there[i]));
            largest = Math.Max(largest, Math.Abs(there[i]));
        }

        return difference / largest;
    }

    private OnnxAnswer[]? Answers(Tensor batch, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlyDictionary<string, Tensor> values = Compute(Input.ChannelsLast ? batch.permute(0, 2, 3, 1) : batch);
        if (count > 1 && _outputs.Union(_hints).Any(name => values[name].shape is not [var first, ..] || first != count)) return null;
        var outputs = _outputs.Select(name => PerImage(name, values[name], count)).ToArray();
        if (_hints.Count > 0) _maps.Add([.. _hints.Select(name => values[name].DetachFromDisposeScope())]);
        return [.. Enumerable.Range(0, count).Select(i => new OnnxAnswer([.. outputs.Select(output => output[i])], []))];
    }

    private static OnnxOutput[] PerImage(string name, Tensor value, int count)
    {
        float[] values = TensorArrays.Floats(value.to(ScalarType.Float32));
        int[] shape = Array.ConvertAll(value.shape, length => (int)length);
        bool integer = !value.is_floating_point();
        if (count == 1 && shape is not [1, ..]) return [new OnnxOutput(name, shape, values, integer)];
        int length = values.Length / count;
        return [.. Enumerable.Range(0, count).Select(i => new OnnxOutput(name, shape[1..], values.AsMemory(i * length, length), integer))];
    }

    /// <summary>The outputs and hints; of a graph that ends in its input's own tensors they may share memory with it.</summary>
    private Dictionary<string, Tensor> Compute(Tensor images)
    {
        var run = new GraphRun(name => _known.GetValueOrDefault(name), _device, images.dtype);
        run[Input.Name] = GraphValue.Of(images);
        foreach ((GraphNode node, IReadOnlyList<string> done) in _steps)
        {
            run.Execute(node);
            foreach (string name in done.Where(name => name != Input.Name)) run.Forget(name);
        }

        return _cut.Maps.ToDictionary(name => name, name => run[name].On(_device, images.dtype));
    }
}
