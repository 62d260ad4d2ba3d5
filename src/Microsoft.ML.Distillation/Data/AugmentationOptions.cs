namespace Microsoft.ML.Distillation;

/// <summary>
/// How training images are varied. The boxes move with the image; a teacher and a student always see the same variation.
/// </summary>
public sealed record AugmentationOptions
{
    /// <summary>No variation: the images as they are.</summary>
    public static AugmentationOptions None { get; } = new() { HorizontalFlip = false, ScaleJitter = 0, ColorJitter = 0 };

    /// <summary>Whether half of the images, drawn at random, are mirrored left to right.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>
    /// The range of zooming: each image is enlarged by a factor drawn from [1 − value, 1 + value]. What an enlarged image
    /// loses at its sides is cropped, what a shrunken one leaves free is filled with the mean colour. 0 is off; below 1.
    /// </summary>
    public float ScaleJitter { get; init; } = 0.3f;

    /// <summary>
    /// The range of brightness, contrast and saturation: each is multiplied by a factor of its own drawn from
    /// [1 − value, 1 + value]. 0 is off; at most 1.
    /// </summary>
    public float ColorJitter { get; init; } = 0.2f;

    /// <summary>
    /// Whether half of the images, drawn at random, are turned upside down: for objects without an up and a down, as seen through a
    /// microscope or from the air.
    /// </summary>
    public bool VerticalFlip { get; init; }

    /// <summary>
    /// Whether images are turned by quarters and mirrored, each of the eight ways as likely, whatever the flips say: for objects without
    /// an up and a down. Pixels keep their shape: of an image that is not square a turned one loses its ends and has free sides.
    /// </summary>
    public bool QuarterTurns { get; init; }

    /// <summary>
    /// The range of stretching: the ratio of width to height is multiplied by a factor drawn from [1 / (1 + value), 1 + value], as often
    /// above 1 as below; the area stays. 0 is off; at most 1.
    /// </summary>
    public float StretchJitter { get; init; }

    /// <summary>The range of turns of the hue, as shares of the circle of colours: drawn from [−value, value]. 0 is off; at most
    /// 0.5.</summary>
    public float HueJitter { get; init; }

    /// <summary>The share of the images that lose their colours, 0 to 1.</summary>
    public float GrayscaleShare { get; init; }

    /// <summary>
    /// The largest width and height, as shares of what is shown, of a rectangle that is painted over with the mean colour in every image;
    /// both are drawn from 0 to value. Boxes stay, also of what is covered. 0 is off; below 1.
    /// </summary>
    public float Cutout { get; init; }

    /// <summary>
    /// The share of the images, 0 to 1, in whose place four of the batch are shown, each at half its size (the mosaic of YOLOv4). A teacher
    /// answers what it sees there. Several processes mix each its own images.
    /// </summary>
    public float MosaicShare { get; init; }

    /// <summary>
    /// The share of the images, 0 to 1, through which another of the batch is seen, both at half their strength (mixup). They have the
    /// objects of both.
    /// </summary>
    public float MixupShare { get; init; }

    /// <summary>Whether several images are shown in one.</summary>
    internal bool MixesImages => MosaicShare > 0 || MixupShare > 0;

    /// <exception cref="ArgumentOutOfRangeException">A range is not possible; the message names it.</exception>
    internal void Validate()
    {
        Check(ScaleJitter is >= 0 and < 1, nameof(ScaleJitter), ScaleJitter, "at least 0 and below 1");
        Check(ColorJitter is >= 0 and <= 1, nameof(ColorJitter), ColorJitter, "between 0 and 1");
        Check(StretchJitter is >= 0 and <= 1, nameof(StretchJitter), StretchJitter, "between 0 and 1");
        Check(HueJitter is >= 0 and <= 0.5f, nameof(HueJitter), HueJitter, "between 0 and 0.5");
        Check(GrayscaleShare is >= 0 and <= 1, nameof(GrayscaleShare), GrayscaleShare, "between 0 and 1");
        Check(Cutout is >= 0 and < 1, nameof(Cutout), Cutout, "at least 0 and below 1");
        Check(MosaicShare is >= 0 and <= 1, nameof(MosaicShare), MosaicShare, "between 0 and 1");
        Check(MixupShare is >= 0 and <= 1, nameof(MixupShare), MixupShare, "between 0 and 1");

        static void Check(bool valid, string option, float value, string range)
        {
            if (!valid) throw new ArgumentOutOfRangeException(option, value, $"{option} must be {range}.");
        }
    }
}
