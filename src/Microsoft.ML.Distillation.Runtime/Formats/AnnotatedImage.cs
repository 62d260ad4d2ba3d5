using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>An image and the objects in it: what every reader gives and every writer takes.</summary>
/// <param name="ImagePath">The path of the image; where it was not found, the one at which it was expected.</param>
/// <param name="Size">Its size as the annotation gives it, or null where it does not.</param>
/// <param name="Objects">Its objects, in the order of the annotation.</param>
internal sealed record AnnotatedImage(string ImagePath, ImageSize? Size, IReadOnlyList<AnnotatedObject> Objects)
{
    /// <summary>The file that names the image, or null where only <see cref="ImagePath"/> is known.</summary>
    public string? NamedIn { get; init; }

    /// <summary>The line of <see cref="NamedIn"/>, from 1.</summary>
    public int Line { get; init; } = 1;

    /// <summary>How many objects are left out, as they are given in shares of an image whose size cannot be read.</summary>
    public int Unplaced { get; init; }

    /// <summary>
    /// What is wrong with its annotation, where that is no reason to stop (<see cref="AnnotationSource.Notes"/>): each an object that is
    /// left out.
    /// </summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Whether all its objects are left out: shown without them, the image would teach that they are background.</summary>
    public bool LostItsObjects => Objects.Count == 0 && Faults.Count > 0;

    /// <summary>
    /// Whether the annotation was made on the picture as it is stored, which Exif data turn: size and boxes have been turned with it.
    /// </summary>
    public bool WasStored { get; init; }
}

/// <summary>An object in an image. Corners are in pixels of the image, finite, and X0 ≤ X1, Y0 ≤ Y1.</summary>
/// <param name="Label">Its class; empty for a region that belongs to none (then <see cref="Ignore"/> is set).</param>
internal readonly record struct AnnotatedObject(string Label, float X0, float Y0, float X1, float Y1)
{
    /// <summary>Hard to recognise (VOC).</summary>
    public bool Difficult { get; init; }

    /// <summary>A group of objects in one box (COCO's iscrowd, OpenImages' IsGroupOf).</summary>
    public bool Crowd { get; init; }

    /// <summary>A region in which nothing is right or wrong (KITTI's DontCare, COCO's ignore).</summary>
    public bool Ignore { get; init; }

    /// <summary>The share of the object beyond the image's edge, 0 to 1; formats that know only yes and no give 1 and 0.</summary>
    public float Truncated { get; init; }

    /// <summary>
    /// 0 is visible, 1 partly hidden, 2 largely hidden, 3 unknown (KITTI); formats that know only yes and no give 1 and 0.
    /// </summary>
    public int Occluded { get; init; }

    /// <summary>The object's own area in square pixels (COCO's, of the segment), or null where only its box is known.</summary>
    public float? Area { get; init; }

    /// <summary>Whether the box is that of an outline, a mask or a turned box, as the annotation gives none of its own.</summary>
    public bool OfOutline { get; init; }

    /// <summary>How sure a detector was of it, 0 to 1, where a detector found it; null where a person did.</summary>
    public float? Score { get; init; }

    /// <summary>What is wrong with the corners of a box, or null. A box without area is a defect of the data, not of the file.</summary>
    public static string? Problem(double x0, double y0, double x1, double y1)
    {
        if (!float.IsFinite((float)x0) || !float.IsFinite((float)y0) || !float.IsFinite((float)x1) || !float.IsFinite((float)y1))
            return "the box has a coordinate that is no finite number";
        if (x1 >= x0 && y1 >= y0) return null;
        string sides = (x1 < x0, y1 < y0) switch
        {
            (true, true) => "width and a negative height",
            (true, false) => "width",
            _ => "height",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the box from ({x0}, {y0}) to ({x1}, {y1}) has a negative {sides}: its corners are swapped");
    }
}

/// <summary>Errors in annotation files, in the one form that all readers give them.</summary>
internal static class AnnotationError
{
    // What parsers of xml, json and YAML say repeats what they met, which may be megabytes.
    private const int LongestProblem = 1000, ShownEnd = 150;

    /// <summary>"file(line): problem."</summary>
    /// <param name="line">Counted from 1.</param>
    public static FormatException At(string file, long line, string problem, Exception? inner = null)
    {
        string shown = problem.Length <= LongestProblem ? problem : $"{problem[..(LongestProblem - ShownEnd)]}…{problem[^ShownEnd..]}";
        return new FormatException(string.Create(CultureInfo.InvariantCulture, $"{file}({line}): {shown}."), inner);
    }

    /// <summary>An image that a file names does not exist.</summary>
    public static FileNotFoundException NoImage(string file, long line, string image)
    {
        string what = RealPath.DeadLink(image)?.TrimEnd('.') ?? $"'{image}' does not exist";
        return new FileNotFoundException(string.Create(CultureInfo.InvariantCulture, $"{file}({line}): the image {what}."), image);
    }

    /// <summary>A file's json breaks off or breaks json's rules.</summary>
    public static FormatException Malformed(string file, JsonException exception)
        => At(
            file, (exception.LineNumber ?? 0) + 1,
            $"this is no well-formed json: {exception.Message.Split(" LineNumber:")[0].TrimEnd('.')}", exception);

    /// <summary>A piece of a file as a message quotes it: not longer than anybody reads.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= 60 ? $"'{text}'" : $"'{text[..60]}…'";
}
