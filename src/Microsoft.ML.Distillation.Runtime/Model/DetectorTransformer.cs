using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A fitted detector: finds objects in the images of a column. Made of stock ML.NET transformers around the exported
/// network, so it is saved and loaded with <c>mlContext.Model</c>, works in a <see cref="PredictionEngine{TSrc,TDst}"/>,
/// and needs no libtorch where it is used.
/// </summary>
/// <remarks>
/// In: the image column. Out: <c>PredictedLabel</c> (vector of keys whose values are the class names), <c>Score</c> (vector
/// of scores, 0 to 1, best first) and <c>PredictedBoundingBoxes</c> (x0 y0 x1 y1 of each detection in pixels of the image),
/// all three as long as there are detections (the boxes four times so). Dispose it when it is no longer needed: it holds
/// an ONNX Runtime session and a temporary file.
/// </remarks>
public sealed class DetectorTransformer : ITransformer, IDisposable
{
    private readonly TransformerChain<ITransformer> _chain;
    private readonly TemporaryFile _network;

    internal DetectorTransformer(TransformsCatalog catalog, OnnxModelFile model, DetectorColumns columns, DataViewSchema schema)
    {
        Model = model;
        Columns = columns;
        ClassNames = DetectorGraph.ClassNames(model);
        _network = new TemporaryFile(model.Rename(PrivateColumns.Of).ToBytes(), ".onnx");
        _chain = StockTransformers.Around(catalog, _network.Path, ClassNames, columns, schema);
    }

    /// <summary>The classes that the detector knows, in the order of the keys of <c>PredictedLabel</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <summary>The exported network, from raw pixels to boxes in pixels.</summary>
    internal OnnxModelFile Model { get; }

    internal DetectorColumns Columns { get; }

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _chain.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => _chain.Transform(input);

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => ((ITransformer)_chain).GetRowToRowMapper(inputSchema);

    /// <inheritdoc/>
    public void Dispose()
    {
        _chain.Dispose();
        _network.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ((ICanSaveModel)_chain).Save(ctx);
}
