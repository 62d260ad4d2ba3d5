using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Estimators.Labelling;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Labels images with a detector, after Radosavovic et al., Data Distillation (CVPR 2018): it looks at each image in several ways, its
/// answers are merged, and those from a score on become labels, such that images have as many as the labelled ones. Made by
/// <see cref="DistillationCatalog.LabelWithTeacher(TransformsCatalog, LabelWithTeacherOptions)"/>.
/// </summary>
/// <remarks>
/// <c>Fit</c> looks at all images, one after the other, to choose the score; it keeps what it found in a temporary file. <c>Transform</c>
/// adds the labels row by row: for images that were fitted from that file, for others by looking at them. For the largest sets, and for
/// several machines, there is <see cref="TeacherLabeller"/>.
/// <list type="table">
/// <listheader><term>Column</term><description>Content</description></listheader>
/// <item><term>in: <c>Image</c></term><description>The image (MLImage), of any size.</description></item>
/// <item><term>out: <c>Label</c></term><description>The classes of its objects: a vector of keys with names.</description></item>
/// <item><term>out: <c>BoundingBoxes</c></term><description>x0 y0 x1 y1 of each object in pixels: a vector of Single.</description></item>
/// <item><term>out: <c>LabelScore</c></term><description>How sure the detector is of each, 0 to 1.</description></item>
/// </list>
/// Exportable to ONNX: no.
/// </remarks>
public sealed class LabelWithTeacherEstimator : IEstimator<LabelWithTeacherTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly LabelWithTeacherOptions _options;

    internal LabelWithTeacherEstimator(TransformsCatalog catalog, LabelWithTeacherOptions options)
    {
        options.Validate();
        (_catalog, _options) = (catalog, options);
    }

    /// <summary>Looks at the images and chooses the score from which on detections are labels.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="InvalidDataException">An image cannot be read, or the labelled set has no images.</exception>
    public LabelWithTeacherTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var labeller = new ViewLabeller(_catalog, _options);
        try
        {
            labeller.Fit(input);
            return new LabelWithTeacherTransformer(_catalog, labeller, _options, input.Schema);
        }
        catch
        {
            labeller.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        => LabelColumns.Mapping(_catalog, _options, ["?"], (_, _) => { }, null).GetOutputSchema(inputSchema);
}

/// <summary>
/// Adds labels to images, as <see cref="LabelWithTeacherEstimator"/> describes. It holds the detector and a temporary file until it is
/// disposed, and is not saved with a model: what it gives is training data.
/// </summary>
public sealed class LabelWithTeacherTransformer : ITransformer, IDisposable
{
    private readonly ViewLabeller _labeller;
    private readonly ITransformer _mapping;

    internal LabelWithTeacherTransformer(TransformsCatalog catalog, ViewLabeller labeller, LabelWithTeacherOptions options,
        DataViewSchema schema)
    {
        _labeller = labeller;
        _mapping = LabelColumns.Mapping(catalog, options, labeller.ClassNames, labeller.Map, schema).Fit(new SchemaView(schema));
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
