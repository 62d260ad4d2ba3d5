using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>A data view of one text column, from which ML.NET takes the values of keys in order.</summary>
internal static class KeyData
{
    /// <summary>The view that holds these values.</summary>
    public static IDataView Of(IReadOnlyList<string> values)
        => new MLContext().Data.LoadFromEnumerable(values.Select(value => new Row { Value = value }).ToArray());

    private sealed class Row
    {
        public string Value { get; set; } = "";
    }
}
