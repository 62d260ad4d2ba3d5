namespace Microsoft.ML.Distillation.Images;

/// <summary>Kinds of images that cameras, phones and scanners write and that no decoder here reads, by their content and endings.</summary>
internal static class ForeignImages
{
    /// <summary>How many bytes of a file tell its kind.</summary>
    public const int HeadLength = 16;

    /// <summary>The endings of such files, lower case, with their dots.</summary>
    public static readonly IReadOnlyList<string> Extensions = [".heic", ".heif", ".avif", ".tif", ".tiff", ".jxl", ".jp2"];

    /// <summary>What such a file is called, or null where the file is none.</summary>
    /// <param name="head">Its first bytes.</param>
    public static string? KindOf(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) || head.StartsWith("II+\0"u8) || head.StartsWith("MM\0+"u8))
            return "TIFF";
        if (head.StartsWith<byte>([0xFF, 0x0A]) || head.StartsWith("\0\0\0\u000CJXL "u8)) return "JPEG XL";
        if (head.StartsWith<byte>([0xFF, 0x4F, 0xFF, 0x51]) || head.StartsWith("\0\0\0\u000CjP  "u8)) return "JPEG 2000";
        if (head.StartsWith("8BPS"u8)) return "Photoshop";
        // A box of ISO's base media file format, whose brand follows.
        if (head.Length < 12 || !head[4..].StartsWith("ftyp"u8)) return null;
        ReadOnlySpan<byte> brand = head[8..12];
        if (brand.StartsWith("avi"u8)) return "AVIF";
        return brand.StartsWith("he"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) ? "HEIC" : null;
    }

    /// <summary>What to do with a file of a kind.</summary>
    public static string Advice(string kind, string name)
    {
        string stem = Path.GetFileNameWithoutExtension(name), file = Path.GetFileName(name);
        return $"this is a {kind} image, of a kind that is not read; convert it to JPEG or PNG, "
            + $"for example by ImageMagick: magick \"{file}\" \"{stem}.jpg\"";
    }
}
