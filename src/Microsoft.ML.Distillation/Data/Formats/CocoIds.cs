namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Numbers the ids of one kind (images, categories) in the order in which they are first met, so that an annotation may come before
/// what it belongs to.
/// </summary>
internal sealed class CocoIds
{
    private const int NotDefined = -1;

    private readonly Dictionary<CocoId, int> _numbers = [];
    private readonly List<int> _indices = [];

    /// <summary>The number of an id that is mentioned.</summary>
    public int Mention(CocoId id)
    {
        if (_numbers.TryGetValue(id, out int number)) return number;
        _numbers.Add(id, _indices.Count);
        _indices.Add(NotDefined);
        return _indices.Count - 1;
    }

    /// <summary>Says which element an id belongs to; false where it has one already.</summary>
    public bool Define(CocoId id, int index)
    {
        int number = Mention(id);
        if (_indices[number] != NotDefined) return false;
        _indices[number] = index;
        return true;
    }

    /// <summary>The element that a number's id belongs to, or null where there is none.</summary>
    public int? IndexOf(int number) => _indices[number] is var index and not NotDefined ? index : null;

    /// <summary>The id of a number.</summary>
    public CocoId IdOf(int number) => _numbers.First(pair => pair.Value == number).Key;
}
