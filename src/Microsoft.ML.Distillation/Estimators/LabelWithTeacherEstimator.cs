using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Estimators.Labelling;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Labels images with a detector, after Radosavovic et al., Data Distillation (CVPR 2018): it looks at each image in several ways, its
/// answers are merged, and those from a score on become labels, such that images have as many as the labelled ones. Made by
/// <see cref="DistillationCatalog.LabelWithTeacher(TransformsCatalog, LabelWithTeacherOptions)"/>.
/// </summary>
/// <remarks>
/// <c>Fit</c> looks at all images, one after the other, to choose the score; it keeps what it found in a temporary file. <c>Transform</c>
/// adds the labels row by row: for images that were fitted from that file, for others by looking at them. For the largest sets, and for
/// several machines, there is the command <c>ml-distill label</c>.
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
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => LabelColumns.Mapping(_catalog, _options, ["?"], (_, _) => { }, null).GetOutputSchema(inputSchema);
}
