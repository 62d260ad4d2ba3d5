using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that say how annotated images are laid out.</summary>
/// <param name="name">What the option of the format is called.</param>
internal sealed class FormatOptionSet(string name = "--format")
{
    private static readonly (string Name, DetectionFormat Format)[] Formats =
    [
        ("voc", DetectionFormat.PascalVoc), ("coco", DetectionFormat.Coco), ("yolo", DetectionFormat.Yolo),
        ("kitti", DetectionFormat.Kitti),
        ("imagenet", DetectionFormat.ImageNet), ("openimages", DetectionFormat.OpenImages), ("tsv", DetectionFormat.TabSeparated),
    ];

    private readonly Option<string> _format = SharedOptions.Choice(
        name, "How the annotated images are laid out.", [.. Formats.Select(format => format.Name)]);

    private readonly Option<string?> _images = SharedOptions
        .Path("--image-folder", "Where the images are. [default: where the format has them]", "DIR");
    private readonly Option<string?> _names = SharedOptions.Path(
        "--names", "The file that names the classes, for yolo, imagenet and openimages. [default: where the format has it]", "FILE");

    /// <summary>The formats that can be written.</summary>
    public static string[] Written { get; } = ["voc", "coco", "yolo"];

    /// <summary>The format of a name.</summary>
    public static DetectionFormat Named(string name) => Formats.First(format => format.Name == name).Format;

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_format, _images, _names]) options.Add(option);
    }

    /// <summary>Whether the format was given.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetResult(_format) is { Implicit: false };

    /// <summary>The data set at a path.</summary>
    public DataFolder At(ParseResult parsed, string path)
        => new(path, Named(parsed.GetRequiredValue(_format)), parsed.GetValue(_images), parsed.GetValue(_names));
}
