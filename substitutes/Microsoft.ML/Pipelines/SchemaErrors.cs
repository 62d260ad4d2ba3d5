// The exceptions for columns that are missing or of another type, as ML.NET words them.
namespace Microsoft.ML;

internal static class SchemaErrors
{
    /// <summary>A column that a transformer reads.</summary>
    public static DataViewSchema.Column Input(this DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) ?? throw new ArgumentOutOfRangeException("inputSchema", $"Could not find input column '{name}'");

    public static ArgumentOutOfRangeException Mismatch(string column, string expected, string actual)
        => new("inputSchema", $"Schema mismatch for input column '{column}': expected {expected}, got {actual}");
}
