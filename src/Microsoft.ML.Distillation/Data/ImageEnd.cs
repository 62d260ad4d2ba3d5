namespace Microsoft.ML.Distillation.Data;

/// <summary>The end of an image file. Decoders fill what is missing of a picture with grey and say nothing.</summary>
internal static class ImageEnd
{
    /// <summary>What to say of a file without one.</summary>
    public const string Problem = "the file ends before the image does";

    /// <summary>Whether a JPEG or PNG file lacks its end marker.</summary>
    public static bool IsMissing(ReadOnlySpan<byte> content)
    {
        if (content.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8])) return content.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) < 0;
        return content.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) && content.LastIndexOf("IEND"u8) < 0;
    }

    /// <summary>The same of the file at a path.</summary>
    public static bool IsMissing(string path) => IsMissing(File.ReadAllBytes(path));
}
