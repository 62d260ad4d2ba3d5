using System.Text.Json;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>The box of a COCO annotation's segmentation: polygons, or a mask in run lengths, compressed or not.</summary>
/// <param name="Box">The box, or null.</param>
/// <param name="Problem">Why there is none, where the segmentation is not as it must be; it matters only if the box is needed.</param>
internal readonly record struct CocoOutline(CocoBox? Box, string? Problem)
{
    /// <summary>The size that a mask says its image is of, where it is one.</summary>
    public ImageSize? MaskSize { get; private init; }

    private const int MaxSide = 1 << 24;

    /// <summary>Reads the value that is the token.</summary>
    public static CocoOutline Read(ref JsonTokens json)
    {
        int depth = json.Depth;
        var box = new OutlineBox();
        ImageSize? mask = null;
        string? problem = json.Type switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.StartArray => ReadPolygons(ref json, box),
            JsonTokenType.StartObject => ReadMask(ref json, box, out mask),
            _ => "its segmentation is neither polygons nor a mask",
        };
        json.Leave(depth);
        return problem is not null ? new CocoOutline(null, problem) : box.IsEmpty ? default
            : new CocoOutline(box.Box, null) { MaskSize = mask };
    }

    /// <summary>Lists of x and y in turn; some tools write a single one without the list around.</summary>
    private static string? ReadPolygons(ref JsonTokens json, OutlineBox box)
    {
        int depth = json.Depth;
        double? x = null;
        while (json.Read() && json.Depth > depth)
        {
            if (json.Type == JsonTokenType.StartArray) continue;
            if (json.Type == JsonTokenType.EndArray)
            {
                if (x is not null) return "a polygon of its segmentation has an x without a y";
                continue;
            }

            if (json.Number() is not { } number || !float.IsFinite((float)number)) return "its segmentation holds what is no number";
            if (x is null)
            {
                x = number;
            }
            else
            {
                box.Add(x.Value, number);
                x = null;
            }
        }

        return x is null ? null : "a polygon of its segmentation has an x without a y";
    }

    private static string? ReadMask(ref JsonTokens json, OutlineBox box, out ImageSize? stated)
    {
        stated = null;
        List<long>? size = null, runs = null;
        while (json.NextMember())
        {
            if (json.Enter("size"u8)) size = Numbers(ref json);
            else if (json.Enter("counts"u8)) runs = json.Text() is { } text ? MaskText.Runs(text) : Numbers(ref json);
            else json.Skip();
        }

        if (size is not [>= 0 and <= MaxSide, >= 0 and <= MaxSide]) return "the size of its mask is no height and width";
        stated = new ImageSize((int)size[1], (int)size[0]);
        return runs is null ? "its mask has no counts that can be read" : box.AddRuns(runs, (int)size[0], (int)size[1]);
    }

    /// <summary>A list of whole numbers; null where it is none.</summary>
    private static List<long>? Numbers(ref JsonTokens json)
    {
        int depth = json.Depth;
        List<long>? numbers = json.Type == JsonTokenType.StartArray ? [] : null;
        if (numbers is null)
        {
            json.Leave(depth);
            return null;
        }

        while (json.Read() && json.Depth > depth)
        {
            if (json.Whole() is { } number) numbers?.Add(number);
            else numbers = null;
        }

        return numbers;
    }
}
