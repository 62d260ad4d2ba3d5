namespace Microsoft.ML.Distillation;

/// <summary>
/// What the outputs of an ONNX detector mean. C is the number of its classes, N the number of its predictions, H and W the size of
/// its input; the batch's axis is left out.
/// </summary>
public enum OnnxDetectorFormat
{
    /// <summary>Recognised from the outputs' names and shapes; an error where they fit several formats or none.</summary>
    Auto,

    /// <summary>
    /// YOLOX: one output [N, 5 + C] over the cells of strides 8, 16 and 32, in each row the box, the objectness and the classes, both after
    /// their sigmoids. The box is either not decoded (offsets from the cell and logarithms of width and height, in strides) or decoded
    /// (<c>--decode_in_inference</c>: centre, width and height in pixels of the input).
    /// </summary>
    YoloX,

    /// <summary>
    /// YOLOv5, YOLOv7 and YOLOv6: one output [N, 5 + C], in each row centre, width and height in pixels of the input, the objectness and
    /// the classes, both after their sigmoids. There are three rows for each cell, or (YOLOv6) one whose objectness is 1.
    /// </summary>
    YoloV5,

    /// <summary>
    /// YOLOv8, YOLO11: one output [4 + C, N] (or its transpose), in each column centre, width and height in pixels of the input and the
    /// classes after their sigmoids.
    /// </summary>
    YoloV8,

    /// <summary>
    /// Generalised focal loss, as NanoDet: class scores and for each side of the box a distribution over its distance,
    /// m + 1 logits in strides. Either one output [N, C + 4(m + 1)] over strides 8, 16, 32 (and 64), as NanoDet-Plus has it, or an output
    /// of classes and one of distances for each level, [cells, C] and [cells, 4(m + 1)] or [C, h, w] and [4(m + 1), h, w].
    /// </summary>
    Gfl,

    /// <summary>
    /// DETR: logits [N, C + 1] (softmax, the last one "no object") and boxes [N, 4], centre, width and height as shares of the input; or
    /// Conditional and Deformable DETR: logits [N, C] (sigmoid), known by the input <c>pixel_mask</c> of Hugging Face's exports.
    /// </summary>
    Detr,

    /// <summary>
    /// SSD-like: scores [N, C + 1] (softmax, the first one background) or [N, C], and boxes [N, 4], x0 y0 x1 y1 as shares of the input; or
    /// after suppression such boxes, labels [N] from 1 on and scores [N], as in the ONNX model zoo.
    /// </summary>
    Ssd,

    /// <summary>
    /// What torchvision's detectors export, and others that end in suppressed detections: boxes [N, 4], x0 y0 x1 y1 in pixels of the
    /// input, labels [N], scores [N].
    /// </summary>
    Torchvision,

    /// <summary>
    /// FastestDet: one output [5 + C, h, w], in each cell the objectness, the box (before tanh and sigmoid) and the classes after their
    /// softmax.
    /// </summary>
    FastestDet,

    /// <summary>
    /// RT-DETR: logits [N, C] (sigmoid) and boxes [N, 4], centre, width and height as shares of the input; or both in one output [N, 4 +
    /// C]; or boxes [N, 4], x0 y0 x1 y1 in pixels, labels [N] from 0 on and scores [N], as D-FINE and DEIM have them too.
    /// </summary>
    RtDetr,

    /// <summary>
    /// TensorFlow's object detection models: <c>detection_boxes</c> [N, 4], y0 x0 y1 x1 as shares of the input, <c>detection_classes</c>
    /// [N] from 1 on, <c>detection_scores</c> [N].
    /// </summary>
    TensorFlow,

    /// <summary>
    /// YOLO models that have suppressed what they found twice: one output [N, 6], in each row x0 y0 x1 y1 in pixels of the input, score and
    /// class (YOLOv10), or [n, 7], the image's number, the box, class and score (YOLOv7 with <c>--end2end</c>).
    /// </summary>
    YoloEndToEnd,

    /// <summary>Anything else, decoded by <see cref="OnnxDetectorOptions.Decoder"/>.</summary>
    Custom,

    /// <summary>Anything else, as <see cref="OnnxDetectorOptions.Layout"/> describes it.</summary>
    Layout,

    /// <summary>
    /// RF-DETR: <c>dets</c> [N, 4], centre, width and height as shares of the input, and <c>labels</c>, logits (sigmoid) of [N, C], or of
    /// [N, C + 1] with a slot that is no class: the last one, or with <see cref="OnnxDetectorOptions.FirstLabel"/> = 1 the first.
    /// </summary>
    RfDetr,

    /// <summary>
    /// YOLO-NAS by SuperGradients: boxes [N, 4], x0 y0 x1 y1 in pixels of the input, and probabilities [N, C]; or with suppression one
    /// output [n, 7], the image's number, the box, score and class; or the number of detections, boxes, scores and classes, as other
    /// YOLOs with suppression (MMYOLO) have them too.
    /// </summary>
    YoloNas,

    /// <summary>DAMO-YOLO: probabilities [N, C] (or [N, C + 1], the last one unused) and boxes [N, 4], x0 y0 x1 y1 in pixels of the
    /// input.</summary>
    DamoYolo,

    /// <summary>
    /// PaddleDetection, as PP-YOLOE and its RT-DETR: one output [n, 6], class, score and x0 y0 x1 y1 in pixels of the input, beside it the
    /// number of detections; or without suppression boxes [N, 4] in pixels and probabilities [C, N].
    /// </summary>
    Paddle,

    /// <summary>MMDeploy: <c>dets</c> [N, 5], x0 y0 x1 y1 in pixels of the input and score, and <c>labels</c> [N] from 0 on.</summary>
    MMDeploy,

    /// <summary>
    /// PicoDet without its suppression: as <see cref="Gfl"/> with an output of classes and one of distances for each of four levels, but
    /// shown red first.
    /// </summary>
    PicoDet,

    /// <summary>
    /// Grounding DINO, told in words by one caption: <c>logits</c> [Q, T], a column a token, and boxes [Q, 4], centre, width and height as
    /// shares; as Hugging Face exports it (also MM-Grounding-DINO and LLMDet), or as IDEA, with positions and a mask of phrases.
    /// </summary>
    GroundingDino,

    /// <summary>OWL-ViT, told in words: <c>logits</c> [Q, N] (sigmoid) of N texts, and boxes [Q, 4], centre, width and height as shares of
    /// the input, to which the image is stretched.</summary>
    OwlVit,

    /// <summary>OWLv2: the same, but that the image lies in the upper left of a grey square.</summary>
    OwlV2,

    /// <summary>
    /// YOLO-World with its words left open: it takes embeddings of phrases, and gives boxes [Q, 4] in pixels of the input and scores
    /// [Q, N], or one output [4 + N, Q] as <see cref="YoloV8"/>.
    /// </summary>
    YoloWorld,
}
