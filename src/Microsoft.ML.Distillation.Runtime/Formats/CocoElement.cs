using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>An element of one of a COCO file's lists, which reads the values of its members; its errors name it.</summary>
/// <param name="List">The list's name.</param>
/// <param name="Index">The element's position in it.</param>
/// <param name="Line">The line in which it begins.</param>
internal readonly record struct CocoElement(string List, int Index, int Line)
{
    private const int MaxSide = 1 << 24;

    /// <summary>An id.</summary>
    public CocoId Id(ref JsonTokens json, string member)
        => OptionalId(ref json, member) ?? throw Error(ref json, $"has null for its {member}");

    /// <summary>An id or null.</summary>
    public CocoId? OptionalId(ref JsonTokens json, string member)
    {
        if (json.Type == JsonTokenType.Null) return null;
        if (json.Whole() is { } number) return new CocoId(number, null);
        return json.Text() is { } text ? new CocoId(0, text) : throw Unexpected(ref json, member, "neither a whole number nor a text");
    }

    /// <summary>A name: a text that is not empty.</summary>
    public string Name(ref JsonTokens json, string member)
        => json.Text()?.Trim() is { Length: > 0 } text && !text.Contains('\0')
            ? text
            : throw Unexpected(ref json, member, "no text, or empty");

    /// <summary>The width or height of an image; 0 where it is not known.</summary>
    public int Side(ref JsonTokens json, string member)
    {
        if (json.Type == JsonTokenType.Null) return 0;
        return json.Whole() is { } side and >= 0 and <= MaxSide ? (int)side : throw Unexpected(ref json, member, "no number of pixels");
    }

    /// <summary>Yes or no, as 0 and 1 or false and true.</summary>
    public bool Flag(ref JsonTokens json, string member)
        => json.Type switch
        {
            JsonTokenType.Null or JsonTokenType.False => false,
            JsonTokenType.True => true,
            _ => json.Whole() is { } flag and (0 or 1) ? flag == 1 : throw Unexpected(ref json, member, "neither 0 nor 1"),
        };

    /// <summary>An area in square pixels, or null.</summary>
    public double? Area(ref JsonTokens json)
    {
        if (json.Type == JsonTokenType.Null) return null;
        return json.Number() is { } area and >= 0 && float.IsFinite((float)area)
            ? area
            : throw Unexpected(ref json, "area", "no number from 0");
    }

    /// <summary>How sure a detector is: any finite number, as only the order of scores counts.</summary>
    public double Score(ref JsonTokens json) => json.Number() ?? throw Unexpected(ref json, "score", "no finite number");

    /// <summary>A box: x, y, width, height in pixels.</summary>
    public CocoBox Box(ref JsonTokens json)
    {
        Span<double> numbers = stackalloc double[4];
        int count = 0;
        if (json.Type != JsonTokenType.StartArray) throw Unexpected(ref json, "bbox", "no list of four numbers");
        while (json.Read() && json.Type != JsonTokenType.EndArray)
        {
            double number = json.Number() ?? throw Unexpected(ref json, "bbox", "no list of four numbers");
            if (count < numbers.Length) numbers[count] = number;
            count++;
        }

        if (count != 4) throw Error(ref json, $"has {count} numbers in its bbox; a box is x, y, width, height");
        double x1 = numbers[0] + numbers[2], y1 = numbers[1] + numbers[3];
        // Far from 0 a small negative side does not change the sum.
        return (AnnotatedObject.Problem(numbers[0], numbers[1], x1, y1)
                ?? AnnotatedObject.Problem(0, 0, numbers[2], numbers[3])) is { } problem
            ? throw Error(ref json, $"is wrong: {problem}")
            : new CocoBox(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    /// <summary>
    /// What tools beside COCO itself add to annotations; members that are not known, or not as they are known, are passed over.
    /// </summary>
    public static AnnotatedObject Attributes(ref JsonTokens json, AnnotatedObject flags)
    {
        if (json.Type != JsonTokenType.StartObject)
        {
            json.Skip();
            return flags;
        }

        while (json.NextMember())
        {
            if (json.Enter("difficult"u8)) flags = flags with { Difficult = Share(ref json) > 0 };
            else if (json.Enter("truncated"u8)) flags = flags with { Truncated = (float)Math.Clamp(Share(ref json), 0, 1) };
            else if (json.Enter("occluded"u8)) flags = flags with { Occluded = (int)Math.Clamp(Math.Ceiling(Share(ref json)), 0, 3) };
            else json.Skip();
        }

        return flags;
    }

    /// <summary>An error in this element.</summary>
    public FormatException Error(ref JsonTokens json, string problem)
        => AnnotationError.At(json.File, json.Line, $"{List}[{Index}] {problem}");

    private static double Share(ref JsonTokens json)
    {
        double share = json.Type == JsonTokenType.True ? 1 : json.Number() ?? 0;
        json.Skip();
        return share;
    }

    private FormatException Unexpected(ref JsonTokens json, string member, string what) => Error(ref json, $"is wrong: {member} is {what}");
}

/// <summary>A box as COCO's files have it, in pixels; the sides are not negative.</summary>
internal readonly record struct CocoBox(double X, double Y, double Width, double Height)
{
    /// <summary>The right edge.</summary>
    public double X1 => X + Width;

    /// <summary>The lower edge.</summary>
    public double Y1 => Y + Height;
}

/// <summary>An id in a COCO file: a whole number by the book, a text in the files of some tools.</summary>
internal readonly record struct CocoId(long Number, string? Text = null)
{
    public override string ToString() => Text is null ? Number.ToString(CultureInfo.InvariantCulture) : AnnotationError.Quote(Text);
}
