namespace Microsoft.ML.Distillation;

/// <summary>
/// What the outputs of an ONNX detector mean. C is the number of its classes, N the number of its predictions, H and W the size of
/// its input; the batch's axis is left out.
/// </summary>
public enum TeacherFormat
{
    /// <summary>Recognised from the outputs' names and shapes; an error where they fit several formats or none.</summary>
    Auto,

    /// <summary>
    /// YOLOX, not decoded: one output [N, 5 + C] over the cells of strides 8, 16 and 32, in each row the box (offsets from the cell
    /// and logarithms of width and height, in strides), the objectness and the classes, both after their sigmoids.
    /// </summary>
    YoloX,

    /// <summary>
    /// YOLOv5, YOLOv7, and YOLOX exported with its boxes decoded: one output [N, 5 + C], in each row centre, width and height in pixels
    /// of the input, the objectness and the classes, both after their sigmoids.
    /// </summary>
    YoloV5,

    /// <summary>
    /// YOLOv8, YOLO11: one output [4 + C, N] (or its transpose), in each column centre, width and height in pixels of the input and the
    /// classes after their sigmoids.
    /// </summary>
    YoloV8,

    /// <summary>
    /// Generalised focal loss, as NanoDet and PicoDet: class scores and for each side of the box a distribution over its distance,
    /// m + 1 logits in strides. Either one output [N, C + 4(m + 1)] over strides 8, 16, 32 (and 64), as NanoDet-Plus has it, or an output
    /// of classes and one of distances for each level, [cells, C] and [cells, 4(m + 1)] or [C, h, w] and [4(m + 1), h, w].
    /// </summary>
    Gfl,

    /// <summary>
    /// DETR and RT-DETR: logits [N, C + 1] (softmax, the last one "no object") or [N, C] (sigmoid), and boxes [N, 4], centre, width and
    /// height as shares of the input; or both in one output [N, 4 + C].
    /// </summary>
    Detr,

    /// <summary>
    /// SSD-like: scores [N, C + 1] (softmax, the first one background) or [N, C], and boxes [N, 4], x0 y0 x1 y1 as shares of the input.
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

    /// <summary>Anything else, decoded by <see cref="OnnxTeacherOptions.Decoder"/>.</summary>
    Custom,
}
