using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation;

/// <summary>
/// What an ONNX detector wants to see: x = (pixel · <see cref="Scale"/> − <see cref="Mean"/>) / <see cref="StandardDeviation"/> with pixel
/// from 0 to 255. Presets for the formats come from <see cref="For"/>; every field can be set.
/// </summary>
public sealed record OnnxPreprocessing
{
    /// <summary>The width of the input in pixels. <see langword="null"/>: the graph's, or 640 where the graph leaves it open.</summary>
    public int? Width { get; init; }

    /// <summary>The height of the input in pixels; likewise.</summary>
    public int? Height { get; init; }

    /// <summary>How the image is brought to that size.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>The grey of a letterbox's bars, 0 to 255.</summary>
    public float Fill { get; init; } = 114;

    /// <summary>The order of the channels.</summary>
    public ChannelOrder Channels { get; init; }

    /// <summary>The factor on pixels from 0 to 255; 1/255 makes them 0 to 1.</summary>
    public float Scale { get; init; } = 1f / 255;

    /// <summary>What is subtracted after scaling, one value for each of the model's channels, in their order.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0, 0, 0];

    /// <summary>What is divided by at last, one value for each of the model's channels, in their order.</summary>
    public IReadOnlyList<float> StandardDeviation { get; init; } = [1, 1, 1];

    /// <summary>
    /// What most classifiers of ImageNet were published with, torchvision's among them: stretched, RGB, 0 to 1, ImageNet's mean (0.485,
    /// 0.456, 0.406) and deviation (0.229, 0.224, 0.225).
    /// </summary>
    public static OnnxPreprocessing ImageNet { get; } = new()
    {
        Mean = [0.485f, 0.456f, 0.406f],
        StandardDeviation = [0.229f, 0.224f, 0.225f],
    };

    private static OnnxPreprocessing Clip { get; } = new()
    {
        Mean = [0.48145466f, 0.4578275f, 0.40821073f],
        StandardDeviation = [0.26862954f, 0.26130258f, 0.27577711f],
    };

    /// <summary>
    /// What the networks of the packages Microsoft.ML.DnnImageFeaturizer.* were published with: stretched, BGR, 0 to 255, less the mean
    /// of ImageNet's pixels (103.06, 115.9, 123.15).
    /// </summary>
    public static OnnxPreprocessing DnnImageFeaturizer { get; } = new()
    {
        Channels = ChannelOrder.Bgr,
        Scale = 1,
        Mean = [103.06f, 115.9f, 123.15f],
    };

    /// <summary>
    /// What the detectors of a format were published with. <see cref="OnnxDetectorFormat.YoloX"/>: top-left letterbox, BGR, 0 to 255.
    /// <see cref="OnnxDetectorFormat.YoloV5"/>, <see cref="OnnxDetectorFormat.YoloV8"/> and <see cref="OnnxDetectorFormat.YoloEndToEnd"/>:
    /// centred letterbox, RGB, 0 to 1. <see cref="OnnxDetectorFormat.Gfl"/>: NanoDet's, stretched, BGR, ImageNet's mean and deviation.
    /// <see cref="OnnxDetectorFormat.Detr"/>: stretched, RGB, ImageNet's mean and deviation. <see cref="OnnxDetectorFormat.RtDetr"/>:
    /// stretched, RGB, 0 to 1. <see cref="OnnxDetectorFormat.Ssd"/>: stretched, RGB, (pixel − 127) / 128.
    /// <see cref="OnnxDetectorFormat.Torchvision"/>: top-left letterbox, RGB, 0 to 1. <see cref="OnnxDetectorFormat.TensorFlow"/>:
    /// stretched, RGB, 0 to 255. <see cref="OnnxDetectorFormat.FastestDet"/>: stretched, BGR, 0 to 1.
    /// <see cref="OnnxDetectorFormat.RfDetr"/> and <see cref="OnnxDetectorFormat.PicoDet"/>: stretched, RGB, ImageNet's mean and deviation.
    /// <see cref="OnnxDetectorFormat.YoloNas"/>: centred letterbox, RGB, 0 to 1. <see cref="OnnxDetectorFormat.DamoYolo"/>: top-left
    /// letterbox with black bars, RGB, 0 to 255. <see cref="OnnxDetectorFormat.MMDeploy"/>: top-left letterbox, RGB, ImageNet's mean and
    /// deviation. <see cref="OnnxDetectorFormat.GroundingDino"/>: RGB, ImageNet's mean and deviation, stretched where the graph or the
    /// options fix its size, else in its own proportions, the shorter side 800 pixels and the longer at most 1333.
    /// <see cref="OnnxDetectorFormat.OwlVit"/>: stretched, RGB, CLIP's mean and deviation; <see cref="OnnxDetectorFormat.OwlV2"/>: the same
    /// in a top-left letterbox with grey bars. <see cref="OnnxDetectorFormat.YoloWorld"/>: centred letterbox, RGB, 0 to 1. All others:
    /// stretched, RGB, 0 to 1.
    /// </summary>
    public static OnnxPreprocessing For(OnnxDetectorFormat format) => format switch
    {
        OnnxDetectorFormat.YoloX => new() { Fit = ImageFit.LetterboxTopLeft, Channels = ChannelOrder.Bgr, Scale = 1 },
        OnnxDetectorFormat.YoloV5 or OnnxDetectorFormat.YoloV8 or OnnxDetectorFormat.YoloEndToEnd or OnnxDetectorFormat.YoloNas
            or OnnxDetectorFormat.YoloWorld => new() { Fit = ImageFit.LetterboxCentred },
        OnnxDetectorFormat.Gfl => new()
        {
            Channels = ChannelOrder.Bgr,
            Scale = 1,
            Mean = [103.53f, 116.28f, 123.675f],
            StandardDeviation = [57.375f, 57.12f, 58.395f],
        },
        OnnxDetectorFormat.Detr or OnnxDetectorFormat.RfDetr or OnnxDetectorFormat.PicoDet or OnnxDetectorFormat.GroundingDino => ImageNet,
        OnnxDetectorFormat.OwlVit => Clip,
        OnnxDetectorFormat.OwlV2 => Clip with { Fit = ImageFit.LetterboxTopLeft, Fill = 127.5f },
        OnnxDetectorFormat.MMDeploy => ImageNet with { Fit = ImageFit.LetterboxTopLeft },
        OnnxDetectorFormat.DamoYolo => new() { Fit = ImageFit.LetterboxTopLeft, Scale = 1, Fill = 0 },
        OnnxDetectorFormat.Ssd => new() { Scale = 1, Mean = [127, 127, 127], StandardDeviation = [128, 128, 128] },
        OnnxDetectorFormat.Torchvision => new() { Fit = ImageFit.LetterboxTopLeft },
        OnnxDetectorFormat.TensorFlow => new() { Scale = 1 },
        OnnxDetectorFormat.FastestDet => new() { Channels = ChannelOrder.Bgr },
        _ => new(),
    };

    /// <summary>Whether a model is shown the same with other preprocessing.</summary>
    internal bool Shows(OnnxPreprocessing other)
        => (Width, Height, Fit, Fill, Channels, Scale) == (other.Width, other.Height, other.Fit, other.Fill, other.Channels, other.Scale)
            && Mean.SequenceEqual(other.Mean) && StandardDeviation.SequenceEqual(other.StandardDeviation);

    // A record writes the type of a list in the place of its values.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"Width = {Width}, Height = {Height}, Fit = {Fit}, Fill = {Fill}, Channels = {Channels}, Scale = {Scale}, ");
        text.Append(CultureInfo.InvariantCulture, $"Mean = {List(Mean)}, StandardDeviation = {List(StandardDeviation)}");
        return true;

        static string List(IReadOnlyList<float> values)
            => $"[{string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";
    }

    /// <summary>Checks the fields.</summary>
    /// <exception cref="ArgumentException">A field is out of its range; the message names it.</exception>
    internal void Validate()
    {
        Check(Width is null or > 0, nameof(Width), "above 0");
        Check(Height is null or > 0, nameof(Height), "above 0");
        Check(Fill is >= 0 and <= 255, nameof(Fill), "from 0 to 255");
        Check(float.IsFinite(Scale) && Scale != 0, nameof(Scale), "a number other than 0");
        Check(Mean.Count == 3 && Mean.All(float.IsFinite), nameof(Mean), "three numbers");
        Check(StandardDeviation.Count == 3 && StandardDeviation.All(s => s > 0 && float.IsFinite(s)), nameof(StandardDeviation),
            "three numbers above 0");
    }

    private static void Check(bool valid, string field, string range)
    {
        if (!valid) throw new ArgumentException($"The preprocessing's {field} must be {range}.", field);
    }
}

/// <summary>The order of a model's colour channels.</summary>
public enum ChannelOrder
{
    /// <summary>Red first.</summary>
    Rgb,

    /// <summary>Blue first, as OpenCV reads images.</summary>
    Bgr,
}

/// <summary>How an image is brought to the size of a model's input.</summary>
public enum ImageFit
{
    /// <summary>Stretched in both directions to fill the input.</summary>
    Stretch,

    /// <summary>Scaled as a whole, in the middle of the input, between bars.</summary>
    LetterboxCentred,

    /// <summary>Scaled as a whole, in the upper left corner of the input; bars to the right or below.</summary>
    LetterboxTopLeft,
}
