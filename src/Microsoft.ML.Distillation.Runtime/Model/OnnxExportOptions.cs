namespace Microsoft.ML.Distillation;

/// <summary>How a detector is written as an ONNX file.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>What the file takes and gives.</summary>
    public OnnxForm Form { get; init; }

    /// <summary>
    /// Whether the network's layers and their weights are in half precision (float16): half the size, and faster on processors that
    /// compute with it; others compute in single precision what is stored in half. Inputs and outputs, the image's preparation and the
    /// boxes stay in single precision. Such a file is an end: it can be run, but not trained further or written in another form.
    /// </summary>
    public bool Half { get; init; }

    /// <summary>
    /// The score, above 0 and at most 1, below which the file itself leaves detections out, in place of the low one that it was trained
    /// with: for whoever runs it elsewhere and wants objects alone, for example from the score that
    /// <see cref="DetectionMetrics.Scores"/> advises. <see langword="null"/>: as trained. The raw form chooses nothing and has none.
    /// Measure the model without it, as average precision needs the low scores too; what is trained or quantised of such a file chooses as
    /// before.
    /// </summary>
    public double? ScoreThreshold { get; init; }
}

/// <summary>What an exported detector takes and gives.</summary>
public enum OnnxForm
{
    /// <summary>
    /// From the bytes of an image of any size to detections in its pixels. In: <c>pixels</c>, uint8 [1,3·height·width], RGB, rows from the
    /// top; <c>size</c>, int64 [1,2], height and width. Out: <c>boxes</c>, float [1,K,4], x0 y0 x1 y1 in pixels of the image;
    /// <c>scores</c>, float [1,K], best first; <c>classes</c>, int64 [1,K], 0-based.
    /// </summary>
    Whole,

    /// <summary>
    /// The image's preparation is left to the caller. In: <c>images</c>, float [1,3,H,W], the image at the network's size, RGB, 0 to 1,
    /// resized as PIL's bilinear filter does. Out: as <see cref="Whole"/>, with boxes in shares of the image, 0 to 1.
    /// </summary>
    Plain,

    /// <summary>
    /// For converters to phones and accelerators: nothing is chosen inside, every shape is fixed. In: as <see cref="Plain"/>. Out:
    /// <c>boxes</c>, float [1,N,4], x0 y0 x1 y1 in shares of the image, of all N locations; <c>scores</c>, float [1,N,C], 0 to 1, of each
    /// class there. Whoever runs it keeps the scores above a threshold and drops boxes that overlap better ones of their class. One-stage
    /// detectors alone have this form.
    /// </summary>
    Raw,
}
