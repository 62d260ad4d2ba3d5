// The estimator and transformer of ApplyOnnxModel. A saved model holds the bytes of the ONNX file.
using System.Buffers.Binary;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

public sealed class OnnxScoringEstimator : TrivialEstimator<OnnxTransformer>
{
    internal OnnxScoringEstimator(OnnxTransformer transformer) : base(transformer)
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (OnnxTensor tensor in Transformer.Network.Inputs)
        {
            SchemaShape.Column column = inputSchema.Input(tensor.Name);
            if (column.IsKey || !tensor.Item.Equals(column.ItemType)) throw SchemaErrors.Mismatch(tensor.Name, $"{tensor.Item}", column.TypeText());
        }

        return inputSchema.With(Transformer.Network.Outputs.Select(tensor => SchemaShape.Column.Of(tensor.Name, tensor.Type)));
    }
}

public sealed class OnnxTransformer : RowToRowTransformerBase, IDisposable
{
    private readonly OnnxOptions _options;
    private readonly byte[] _content;
    private bool _disposed;

    /// <param name="content">The model; null where it is in the options' file.</param>
    internal OnnxTransformer(IHostEnvironment env, OnnxOptions options, byte[] content)
    {
        (_options, _content) = (options, content);
        var local = env as LocalEnvironment;
        Network = new OnnxNetwork(
            new OnnxOptions
            {
                ModelFile = options.ModelFile,
                InputColumns = options.InputColumns,
                OutputColumns = options.OutputColumns,
                ShapeDictionary = options.ShapeDictionary,
                InterOpNumThreads = options.InterOpNumThreads,
                IntraOpNumThreads = options.IntraOpNumThreads,
                FallbackToCpu = options.FallbackToCpu || local?.FallbackToCpu == true,
            },
            content, options.GpuDeviceId ?? local?.GpuDeviceId);
    }

    internal OnnxNetwork Network { get; }

    internal static OnnxTransformer Load(ModelReader reader, IHostEnvironment env)
    {
        byte[] content;
        using (Stream stream = reader.Open("OnnxModel"))
        {
            Span<byte> length = stackalloc byte[sizeof(int)];
            stream.ReadExactly(length);
            content = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
            stream.ReadExactly(content);
        }

        var shapes = reader.Get<Dictionary<string, int[]>>("shapes");
        return new OnnxTransformer(env, new OnnxOptions
        {
            InputColumns = reader.Get<string[]>("inputs"),
            OutputColumns = reader.Get<string[]>("outputs"),
            ShapeDictionary = shapes.Count > 0 ? shapes : null,
        }, content);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Network.Dispose();
    }

    private protected override RowMapper CreateMapper(DataViewSchema inputSchema) => new OnnxMapper(inputSchema, Network);

    private protected override void SaveModel(ModelWriter writer)
    {
        ObjectDisposedException.ThrowIf(_disposed && _content is not null, this);
        // A model from a file is not kept in memory: the file must still be there.
        byte[] content = _content ?? File.ReadAllBytes(_options.ModelFile);
        writer.SetKind(ModelKinds.Onnx);
        writer.Set("inputs", Network.Inputs.Select(tensor => tensor.Name).ToArray());
        writer.Set("outputs", Network.Outputs.Select(tensor => tensor.Name).ToArray());
        writer.Set("shapes", _options.ShapeDictionary ?? new Dictionary<string, int[]>());
        // The one content that is laid out as ML.NET does, name and length before the bytes: tools look for it in model files.
        using Stream stream = writer.Create("OnnxModel");
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
        stream.Write(length);
        stream.Write(content);
    }
}
