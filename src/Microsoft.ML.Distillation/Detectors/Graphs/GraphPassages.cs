namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Which tensors every way through a graph passes (dominators, Lengauer and Tarjan 1979, of a graph without cycles).</summary>
internal sealed class GraphPassages
{
    private const int WordBits = 64;

    private readonly List<string> _names = [];
    private readonly Dictionary<string, ulong[]> _passed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <param name="nodes">The operators in the order in which they run.</param>
    /// <param name="starts">Where the ways begin.</param>
    public GraphPassages(IReadOnlyList<GraphNode> nodes, IReadOnlyCollection<string> starts)
    {
        int words = (starts.Count + nodes.Sum(node => node.Outputs.Count) + WordBits - 1) / WordBits;
        foreach (string start in starts) Add(start, new ulong[words]);
        foreach (GraphNode node in nodes)
        {
            ulong[][] before = [.. node.Inputs.Where(_passed.ContainsKey).Select(name => _passed[name])];
            if (before.Length == 0) continue;
            _used.UnionWith(node.Inputs);
            var common = new ulong[words];
            for (int i = 0; i < words; i++) common[i] = before.Aggregate(ulong.MaxValue, (bits, one) => bits & one[i]);
            foreach (string name in node.Outputs.Where(name => name.Length > 0 && !_passed.ContainsKey(name))) Add(name, [.. common]);
        }
    }

    /// <summary>The tensors that the ways lead to and that nothing uses.</summary>
    public IEnumerable<string> Ends => _names.Where(name => !_used.Contains(name));

    /// <summary>The tensors that all ways to some tensors pass, these included, in their order.</summary>
    public IEnumerable<string> To(IReadOnlyCollection<string> tensors) => tensors.Count == 0 ? []
        : _names.Where((_, i) => tensors.All(name => _passed.TryGetValue(name, out ulong[]? passed) && Has(passed, i)));

    private static bool Has(ulong[] bits, int index) => (bits[index / WordBits] >> index % WordBits & 1) != 0;

    private void Add(string name, ulong[] passed)
    {
        passed[_names.Count / WordBits] |= 1UL << _names.Count % WordBits;
        _passed[name] = passed;
        _names.Add(name);
    }
}
