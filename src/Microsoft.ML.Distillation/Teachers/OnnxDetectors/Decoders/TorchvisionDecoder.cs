namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Boxes x0 y0 x1 y1 in pixels of the input, one label and one score each. Shares, which none of torchvision's detectors gives, are seen to
// be shares and read as such.

/// <summary>Reads the detections that torchvision's models export; what is in them stands at the top of the file.</summary>
internal sealed class TorchvisionDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Torchvision;

    public string Layout => "boxes [N, 4] in pixels, labels [N], scores [N]; sees RGB from 0 to 1 at the top left";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => LabelledBoxes.Find(outputs) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        if (TensorFlowDecoder.HasItsNames(outputs)) return FormatFit.None;
        BoxUnit unit = BoxUnits.Of(LabelledBoxes.Find(outputs)!.Boxes);
        // Torchvision's outputs have no batch's axis, and of a grey image it often says nothing.
        if (context.OutputsBatched) return unit == BoxUnit.Unknown ? FormatFit.Possible : FormatFit.None;
        return unit == BoxUnit.Shares ? FormatFit.None : FormatFit.Certain;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
        => LabelledBoxes.Find(outputs)!.Read(context, sink, context.Options.FirstLabel is null && context.OutputsBatched ? 0 : LabelledBoxes.FirstLabel(context));
}
