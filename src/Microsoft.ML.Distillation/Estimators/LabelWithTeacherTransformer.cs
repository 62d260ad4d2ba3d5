using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Estimators.Labelling;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Adds labels to images, as <see cref="LabelWithTeacherEstimator"/> describes. It holds the detector and a temporary file until it is
/// disposed, and is not saved with a model: what it gives is training data.
/// </summary>
public sealed class LabelWithTeacherTransformer : ITransformer, IDisposable
{
    private readonly ViewLabeller _labeller;
    private readonly ITransformer _mapping;

    internal LabelWithTeacherTransformer(TransformsCatalog catalog, ViewLabeller labeller, LabelWithTeacherOptions options, DataViewSchema schema)
    {
        _labeller = labeller;
        _mapping = LabelColumns.Mapping(catalog, options, labeller.ClassNames, labeller.Map, schema).Fit(new Estimators.SchemaView(schema));
    }

    /// <summary>The score from which on a detection of each class is a label.</summary>
    public IReadOnlyDictionary<string, float> Thresholds => _labeller.Thresholds;

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _mapping.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => _mapping.Transform(input);

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => _mapping.GetRowToRowMapper(inputSchema);

    /// <inheritdoc/>
    public void Dispose() => _labeller.Dispose();

    void ICanSaveModel.Save(ModelSaveContext ctx)
        => throw new NotSupportedException("LabelWithTeacher makes training data and is not a part of a model that is saved.");
}
