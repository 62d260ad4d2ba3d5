// A network in ONNX Runtime: its session, and what ML.NET makes of the shapes of its inputs and outputs.
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Transforms.Onnx;

internal sealed class OnnxNetwork : IDisposable
{
    private readonly RunOptions _run = new();

    /// <param name="content">The model; null where it is in the file.</param>
    /// <param name="gpu">The CUDA device; null for the CPU.</param>
    public OnnxNetwork(OnnxOptions options, byte[] content, int? gpu)
    {
        if (content is null && !File.Exists(options.ModelFile)) throw new IOException($"Model file {options.ModelFile} does not exists.");
        try
        {
            Session = Open(options, content, gpu);
        }
        catch (Exception) when (gpu is not null && options.FallbackToCpu)
        {
            Session = Open(options, content, null);
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidOperationException($"Error initializing model :{error}", error);
        }

        Inputs = Tensors(Session.InputMetadata, options.InputColumns, "Input", "input", options.ShapeDictionary);
        Outputs = Tensors(Session.OutputMetadata, options.OutputColumns, "Ouput", "output", options.ShapeDictionary);
    }

    public InferenceSession Session { get; }

    public IReadOnlyList<OnnxTensor> Inputs { get; }

    public IReadOnlyList<OnnxTensor> Outputs { get; }

    public IDisposableReadOnlyCollection<OrtValue> Run(IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputs)
        => Session.Run(_run, inputs, outputs);

    public void Dispose()
    {
        Session.Dispose();
        _run.Dispose();
    }

    private static InferenceSession Open(OnnxOptions options, byte[] content, int? gpu)
    {
        using var session = new SessionOptions();
        if (options.InterOpNumThreads is { } inter) session.InterOpNumThreads = inter;
        if (options.IntraOpNumThreads is { } intra) session.IntraOpNumThreads = intra;
        if (gpu is { } device) session.AppendExecutionProvider_CUDA(device);
        return content is null ? new InferenceSession(options.ModelFile, session) : new InferenceSession(content, session);
    }

    private static OnnxTensor[] Tensors(
        IReadOnlyDictionary<string, NodeMetadata> all, string[] names, string kind, string kindInText, IDictionary<string, int[]> shapes)
    {
        return [.. (names is { Length: > 0 } ? names : all.Keys).Select(name =>
        {
            if (!all.TryGetValue(name, out NodeMetadata node))
            {
                throw new ArgumentOutOfRangeException(name,
                    $"{kind} tensor, {name}, does not exist in the ONNX model. Available {kindInText} names are [{string.Join(",", all.Keys)}].");
            }

            if (!node.IsTensor) throw new NotSupportedException($"{kind} '{name}' is no tensor; only tensors are supported here.");
            int[] shape = shapes?.TryGetValue(name, out int[] given) == true ? given : node.Dimensions;
            return new OnnxTensor(name, node.ElementDataType, shape);
        })];
    }
}

/// <summary>An input or output as a column.</summary>
internal sealed class OnnxTensor
{
    public OnnxTensor(string name, TensorElementType element, int[] shape)
    {
        Name = name;
        Item = ItemOf(element);
        Shape = [.. shape.Select((size, i) => size > 0 ? size : i == 0 ? 1 : -1)];
        Type = Shape.Length == 0 ? Item : Shape.Contains(-1) ? new VectorDataViewType(Item) : new VectorDataViewType(Item, Shape);
    }

    public string Name { get; }

    public PrimitiveDataViewType Item { get; }

    /// <summary>The dimensions; a first one that is unknown is 1, another one -1.</summary>
    public int[] Shape { get; }

    /// <summary>The type of the column.</summary>
    public DataViewType Type { get; }

    /// <summary>The shape of so many values.</summary>
    public long[] ShapeOf(int length)
    {
        int known = Shape.Where(size => size > 0).Aggregate(1, (product, size) => product * size);
        long[] shape = [.. Shape.Select(size => size > 0 ? (long)size : length / known)];
        return shape.Aggregate(1L, (product, size) => product * size) == length
            ? shape
            : throw new ArgumentException($"Input '{Name}' has the shape [{string.Join(", ", Shape)}]; {length} values do not fill it.");
    }

    private static PrimitiveDataViewType ItemOf(TensorElementType element) => element switch
    {
        TensorElementType.Float => NumberDataViewType.Single,
        TensorElementType.Double => NumberDataViewType.Double,
        TensorElementType.Int8 => NumberDataViewType.SByte,
        TensorElementType.UInt8 => NumberDataViewType.Byte,
        TensorElementType.Int16 => NumberDataViewType.Int16,
        TensorElementType.UInt16 => NumberDataViewType.UInt16,
        TensorElementType.Int32 => NumberDataViewType.Int32,
        TensorElementType.UInt32 => NumberDataViewType.UInt32,
        TensorElementType.Int64 => NumberDataViewType.Int64,
        TensorElementType.UInt64 => NumberDataViewType.UInt64,
        TensorElementType.Bool => BooleanDataViewType.Instance,
        TensorElementType.String => TextDataViewType.Instance,
        _ => throw new InvalidOperationException($"Unsupported ONNX scalar type: {element}"),
    };
}
