// Runs a network once a row, however many of its outputs are read.
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Transforms.Onnx;

internal sealed class OnnxMapper : RowMapper
{
    private readonly OnnxNetwork _network;
    private readonly DataViewSchema.Column[] _inputs;

    public OnnxMapper(DataViewSchema inputSchema, OnnxNetwork network)
        : base(inputSchema, [.. network.Outputs.Select(tensor => new DataViewSchema.DetachedColumn(tensor.Name, tensor.Type))])
    {
        _network = network;
        _inputs = [.. network.Inputs.Select(tensor => inputSchema.Input(tensor.Name))];
        for (int i = 0; i < _inputs.Length; i++) Check(_inputs[i].Type, network.Inputs[i]);
    }

    protected override IEnumerable<DataViewSchema.Column> DependenciesOf(int added) => _inputs;

    protected override void CreateGetters(DataViewRow input, Delegate[] getters, bool[] active, ICollection<IDisposable> owned)
    {
        string[] outputs = [.. _network.Outputs.Where((_, i) => active[i]).Select(tensor => tensor.Name)];
        if (outputs.Length == 0) return;
        var run = new RowRun(_network, input, _inputs, outputs);
        owned.Add(run);
        for (int i = 0, at = 0; i < getters.Length; i++)
        {
            if (!active[i]) continue;
            OnnxTensor tensor = _network.Outputs[i];
            bool isVector = tensor.Type is VectorDataViewType;
            string method = !isVector ? nameof(Scalar) : tensor.Item is TextDataViewType ? nameof(Texts) : nameof(Vector);
            getters[i] = method == nameof(Texts) ? Texts(run, at++) : GenericCall.Of<Delegate>(typeof(OnnxMapper), method, [tensor.Item.RawType], run, at++);
        }
    }

    private static void Check(DataViewType column, OnnxTensor tensor)
    {
        if (!column.ItemOf().Equals(tensor.Item)) throw SchemaErrors.Mismatch(tensor.Name, $"{tensor.Item}", $"{column}");
        if (tensor.Item is TextDataViewType) throw new NotSupportedException($"Input '{tensor.Name}' is text; that is not supported here.");
        if (tensor.Shape.Count(size => size < 0) > 1) throw new ArgumentOutOfRangeException(tensor.Name, "Only 1 unknown dimension is allowed");
        int known = tensor.Shape.Where(size => size > 0).Aggregate(1, (product, size) => product * size);
        bool fits = column is not VectorDataViewType { IsKnownSize: true } vector || (tensor.Shape.Contains(-1) ? vector.Size % known == 0 : vector.Size == known);
        if (!fits) throw new ArgumentException($"Input shape mismatch: Input '{tensor.Name}' has shape {string.Join(",", tensor.Shape)}, but input data is of length {((VectorDataViewType)column).Size}.");
    }

    private static ValueGetter<VBuffer<T>> Vector<T>(RowRun run, int index) where T : unmanaged => (ref VBuffer<T> value) =>
    {
        ReadOnlySpan<T> result = run.Output(index).GetTensorDataAsSpan<T>();
        var editor = VBufferEditor.Create(ref value, result.Length);
        result.CopyTo(editor.Values);
        value = editor.Commit();
    };

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> Texts(RowRun run, int index) => (ref VBuffer<ReadOnlyMemory<char>> value) =>
    {
        string[] result = run.Output(index).GetStringTensorAsArray();
        var editor = VBufferEditor.Create(ref value, result.Length);
        for (int i = 0; i < result.Length; i++) editor.Values[i] = result[i].AsMemory();
        value = editor.Commit();
    };

    /// <summary>ML.NET fails here too: a network for its columns gives every output a first dimension.</summary>
    private static ValueGetter<T> Scalar<T>(RowRun run, int index)
        => (ref T value) => throw new NotSupportedException("The output is a scalar; give it a first dimension of 1.");

    /// <summary>The inputs and outputs of the row on which a cursor stands.</summary>
    private sealed class RowRun : IDisposable
    {
        private readonly OnnxNetwork _network;
        private readonly DataViewRow _row;
        private readonly string[] _outputs;
        private readonly Func<OrtValue>[] _inputs;
        private long _position = -1;
        private IDisposableReadOnlyCollection<OrtValue> _results;

        public RowRun(OnnxNetwork network, DataViewRow row, DataViewSchema.Column[] columns, string[] outputs)
        {
            (_network, _row, _outputs) = (network, row, outputs);
            _inputs = [.. columns.Select((column, i) => GenericCall.Of<Func<OrtValue>>(
                typeof(RowRun), column.Type is VectorDataViewType ? nameof(VectorInput) : nameof(ScalarInput), [network.Inputs[i].Item.RawType], row, column, network.Inputs[i]))];
        }

        public OrtValue Output(int index)
        {
            if (_results is null || _position != _row.Position) Run();
            return _results[index];
        }

        public void Dispose() => _results?.Dispose();

        private void Run()
        {
            _results?.Dispose();
            _results = null;
            var inputs = new Dictionary<string, OrtValue>(_inputs.Length);
            try
            {
                for (int i = 0; i < _inputs.Length; i++) inputs.Add(_network.Inputs[i].Name, _inputs[i]());
                _results = _network.Run(inputs, _outputs);
                _position = _row.Position;
            }
            finally
            {
                foreach (OrtValue input in inputs.Values) input.Dispose();
            }
        }

        private static Func<OrtValue> VectorInput<T>(DataViewRow row, DataViewSchema.Column column, OnnxTensor tensor) where T : unmanaged
        {
            ValueGetter<VBuffer<T>> get = row.GetGetter<VBuffer<T>>(column);
            bool isKnown = ((VectorDataViewType)column.Type).IsKnownSize;
            VBuffer<T> value = default;
            return () =>
            {
                get(ref value);
                if (!isKnown && !tensor.Shape.Contains(-1))
                {
                    // ML.NET fails here too.
                    throw new NotSupportedException(
                        $"Input '{tensor.Name}' has no unknown dimension beyond its first ([{string.Join(", ", tensor.Shape)}]): its column must be a vector of known size.");
                }

                T[] values = value.IsDense && value.ValueArray?.Length == value.Length ? value.ValueArray : value.ToDenseArray();
                return OrtValue.CreateTensorValueFromMemory(values, tensor.ShapeOf(value.Length));
            };
        }

        private static Func<OrtValue> ScalarInput<T>(DataViewRow row, DataViewSchema.Column column, OnnxTensor tensor) where T : unmanaged
        {
            ValueGetter<T> get = row.GetGetter<T>(column);
            return () =>
            {
                var value = new T[1];
                get(ref value[0]);
                return OrtValue.CreateTensorValueFromMemory(value, tensor.ShapeOf(1));
            };
        }
    }
}
