using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that say how annotated images are laid out.</summary>
internal sealed class FormatOptionSet
{
    private const string Auto = "auto";

    private static readonly (string Name, DetectionFormat Format)[] Formats =
    [
        ("voc", DetectionFormat.PascalVoc), ("coco", DetectionFormat.Coco), ("yolo", DetectionFormat.Yolo),
        ("kitti", DetectionFormat.Kitti),
        ("imagenet", DetectionFormat.ImageNet), ("openimages", DetectionFormat.OpenImages), ("tsv", DetectionFormat.TabSeparated),
    ];

    private readonly Option<string> _format = SharedOptions.Choice(
        "--format", "How the annotated images are laid out; auto finds out.", [Auto, .. Formats.Select(format => format.Name)]);

    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    private readonly Option<string?> _images = SharedOptions
        .Path("--image-folder", "Where the images are. [default: where the format has them]", "DIR");
    private readonly Option<string?> _names = SharedOptions.Path(
        "--names", "The file that names the classes, for yolo, imagenet and openimages. [default: where the format has it]", "FILE");

    /// <summary>Whether the command's output is its result, for other programs to read: notes then go beside it.</summary>
    public bool OutputIsTheResult { get; init; }

    /// <summary>The formats that can be written.</summary>
    public static string[] Written { get; } = ["voc", "coco", "yolo"];

    /// <summary>The format of a name.</summary>
    public static DetectionFormat Named(string name) => Formats.First(format => format.Name == name).Format;

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_format, _images, _names]) options.Add(option);
    }

    /// <summary>The options under another name of the format's, of an earlier version.</summary>
    public FormatOptionSet AlsoCalled(string name)
    {
        _format.AlsoCalled(name);
        return this;
    }

    /// <summary>Whether the format was given.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetResult(_format) is { Implicit: false };

    /// <summary>The data set at a path, of the format that was given or that its files are of, which is said.</summary>
    /// <exception cref="DirectoryNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="FormatException">No format was given, and the files are of none or of several.</exception>
    public DataFolder At(ParseResult parsed, string path)
    {
        DetectionFormat format = FormatOf(parsed, path);
        return new(path, format, parsed.GetValue(_images), parsed.GetValue(_names))
        {
            Announce = () => Say(parsed, path, format),
            MaxPixels = SharedOptions.MaxPixelsIn(parsed),
            Notes = SharedOptions.NotesTo(parsed, parsed.InvocationConfiguration.Error),
            Context = TrainingSession.CreateContext(parsed, seed: 1),
        };
    }

    private DetectionFormat FormatOf(ParseResult parsed, string path)
    {
        string name = parsed.GetRequiredValue(_format);
        return name == Auto ? new MLContext().Data.RecognizeDetectionFormat(path) : Named(name);
    }

    /// <summary>Says which format was found, once for a path.</summary>
    private void Say(ParseResult parsed, string path, DetectionFormat found)
    {
        if (parsed.GetRequiredValue(_format) != Auto || !_said.Add(path)) return;
        InvocationConfiguration to = parsed.InvocationConfiguration;
        SharedOptions.NotesTo(parsed, OutputIsTheResult ? to.Error : to.Output)
            .WriteLine($"format: {Formats.First(format => format.Format == found).Name} ({path})");
    }
}
