namespace Microsoft.ML.Distillation.Images;

/// <summary>Kinds of images that cameras, phones and scanners write and that no decoder here reads, by their content and endings.</summary>
internal static class ForeignImages
{
    /// <summary>How many bytes of a file tell its kind.</summary>
    public const int HeadLength = 64;

    /// <summary>The endings of such files, lower case, with their dots.</summary>
    public static readonly IReadOnlyList<string> Extensions = [".heic", ".heif", ".avif", ".tif", ".tiff", ".jxl", ".jp2"];

    // Raw photos of cameras are TIFF files, or files of ISO's base media format, that begin with words of their own or end so.
    private static readonly string[] RawEndings =
        [".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".pef", ".srw", ".raf", ".dng", ".raw"];

    /// <summary>What such a file is called, or null where the file is none.</summary>
    /// <param name="head">Its first bytes.</param>
    /// <param name="name">Its name, which tells a camera's raw photo from a scan.</param>
    public static string? KindOf(ReadOnlySpan<byte> head, string name)
    {
        if (head.StartsWith("FUJIFILMCCD-RAW"u8) || head.StartsWith("IIRO"u8) || head.StartsWith("IIRS"u8) || head.StartsWith("IIU\0"u8))
            return "raw camera";
        bool isTiff = head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8);
        if (isTiff && (head.Length > 10 && head[8..10].SequenceEqual("CR"u8) || IsRaw(name))) return "raw camera";
        if (isTiff || head.StartsWith("II+\0"u8) || head.StartsWith("MM\0+"u8)) return "TIFF";
        if (head.StartsWith<byte>([0xFF, 0x0A]) || head.StartsWith("\0\0\0\u000CJXL "u8)) return "JPEG XL";
        if (head.StartsWith<byte>([0xFF, 0x4F, 0xFF, 0x51]) || head.StartsWith("\0\0\0\u000CjP  "u8)) return "JPEG 2000";
        if (head.StartsWith("8BPS"u8)) return "Photoshop";
        return head.Length >= 12 && head[4..].StartsWith("ftyp"u8) ? KindOfBrands(head[8..]) : null;
    }

    /// <summary>What to do with a file of a kind.</summary>
    public static string Advice(string kind, string name)
    {
        string stem = Path.GetFileNameWithoutExtension(name), file = Path.GetFileName(name);
        // Never over the file itself, whatever it is called.
        string converted = Path.GetExtension(name).ToUpperInvariant() is ".JPG" ? $"{stem}-converted.jpg" : $"{stem}.jpg";
        string article = kind[0] is 'A' or 'E' or 'I' or 'O' or 'U' ? "an" : "a";
        return $"this is {article} {kind} image, of a kind that is not read; convert it to JPEG or PNG, "
            + $"for example by ImageMagick: magick \"{file}\" \"{converted}\"";
    }

    /// <summary>By the brands of ISO's base media file format: the major one, a version, and those that it is compatible with.</summary>
    private static string? KindOfBrands(ReadOnlySpan<byte> brands)
    {
        if (brands.StartsWith("crx "u8)) return "raw camera";
        bool isHeif = false;
        for (int at = 0; at + 4 <= brands.Length; at += 4)
        {
            ReadOnlySpan<byte> brand = brands.Slice(at, 4);
            if (brand.StartsWith("avi"u8) && brand[3] is (byte)'f' or (byte)'s') return "AVIF";
            if (brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8)) return "HEIC";
            isHeif |= brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8);
            // The version lies between the major brand and the others.
            if (at == 0) at = 4;
        }

        return isHeif ? "HEIF" : null;
    }

    private static bool IsRaw(string name) => RawEndings.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);
}
