using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Detectors.Graphs.Operators;
using Microsoft.ML.Distillation.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>One run of a graph: its values by name, as far as they are computed.</summary>
/// <param name="known">The constants and parameters; null for a name that is neither.</param>
/// <param name="device">Where tensors are.</param>
/// <param name="type">The type of real numbers.</param>
/// <param name="shapesOnly">Whether values that depend on the image do not matter, so that convolutions need not be computed.</param>
internal sealed class GraphRun(Func<string, GraphValue?> known, Device device, ScalarType type, bool shapesOnly = false)
{
    /// <summary>Whose images batch normalisations see in training.</summary>
    public RankGroup SharedBy { get; init; } = RankGroup.Alone;

    private readonly Dictionary<string, GraphValue> _values = new(StringComparer.Ordinal);

    /// <summary>A value by its name.</summary>
    public GraphValue this[string name]
    {
        get => Find(name) ?? throw new FormatException($"The graph uses '{name}' before it is computed.");
        set => _values[name] = value;
    }

    public GraphValue? Find(string name) => _values.TryGetValue(name, out GraphValue? value) ? value : known(name);

    /// <summary>Lets go of a computed value that nothing needs any more.</summary>
    public void Forget(string name)
    {
        if (_values.Remove(name, out GraphValue? value)) value.Tensor.Dispose();
    }

    /// <summary>Takes a computed value out of the run.</summary>
    public Tensor Take(string name)
    {
        Tensor value = this[name].Tensor;
        _values.Remove(name);
        return value;
    }

    /// <summary>Runs an operator by the arithmetic of the table.</summary>
    /// <exception cref="GraphRunException">It cannot run on what it is given.</exception>
    public void Execute(GraphNode node)
    {
        try
        {
            using DisposeScope scope = NewDisposeScope();
            GraphValue?[] inputs = [.. node.Inputs.Select(name => name.Length == 0 ? null : this[name])];
            bool host = inputs.All(v => v?.IsHost != false);
            var call = new OperatorCall(node, inputs, host ? CPU : device, host ? ScalarType.Float32 : type, shapesOnly);
            Tensor[] outcome = OperatorTable.Find(node)(call);
            bool stays = host || node.Op is "Shape" or "Size";
            for (int i = 0; i < Math.Min(outcome.Length, node.Outputs.Count); i++)
            {
                Tensor value = outcome[i].MoveToOuterDisposeScope();
                if (node.Outputs[i].Length > 0) _values[node.Outputs[i]] = stays ? GraphValue.Host(value) : GraphValue.Of(value);
            }
        }
        catch (Exception e) when (e is ExternalException or ArgumentException or FormatException or InvalidOperationException
            or IndexOutOfRangeException)
        {
            IEnumerable<string> shapes = node.Inputs.Where(name => name.Length > 0)
                .Select(name => Find(name) is { } v ? $"'{name}' [{string.Join(',', v.Tensor.shape)}]" : $"'{name}'");
            string reason = e.Message.Split('\n')[0];
            throw new GraphRunException($"{node.Label} cannot run on {string.Join(", ", shapes)}: {reason}", e);
        }
    }
}

/// <summary>An operator of a graph cannot run on what it is given.</summary>
internal sealed class GraphRunException(string message, Exception inner) : Exception(message, inner);
