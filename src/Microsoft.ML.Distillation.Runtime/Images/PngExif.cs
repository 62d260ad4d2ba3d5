using System.Buffers.Binary;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Images;

// PNG, third edition, 11.3.4.5: one chunk eXIf, before or behind the pixels, holds what follows "Exif\0\0" in a JPEG: a TIFF header, whose
// first directory may have the tag 0x0112, Orientation, a number from 1 to 8 of type SHORT.

/// <summary>Reads from a PNG's Exif data how the picture is to be turned; the form stands at the top of the file.</summary>
internal static class PngExif
{
    private const int SignatureBytes = 8, ChunkHeadBytes = 8, ChecksumBytes = 4;
    private const int MostBytes = 1 << 20;
    private const int EntryBytes = 12;
    private const int Orientation = 0x0112, Short = 3, Long = 4;

    /// <summary>How a PNG is to be turned; the top left where it does not say.</summary>
    /// <param name="png">The file from its beginning; it can be sought in.</param>
    public static SKEncodedOrigin OriginOf(Stream png)
    {
        Span<byte> head = stackalloc byte[ChunkHeadBytes];
        png.Position = SignatureBytes;
        while (png.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(head), next = png.Position + length + ChecksumBytes;
            if (head[4..].SequenceEqual("eXIf"u8))
            {
                byte[] exif = new byte[Math.Min(length, Math.Min(MostBytes, Math.Max(0, png.Length - png.Position)))];
                return OriginOf(exif.AsSpan(0, png.ReadAtLeast(exif, exif.Length, throwOnEndOfStream: false)));
            }

            if (head[4..].SequenceEqual("IEND"u8) || next >= png.Length) break;
            png.Position = next;
        }

        return SKEncodedOrigin.TopLeft;
    }

    /// <summary>How a picture of these Exif data is to be turned; the top left where they are broken, as viewers take it.</summary>
    private static SKEncodedOrigin OriginOf(ReadOnlySpan<byte> exif)
    {
        // Some programs leave a JPEG's beginning in front.
        if (exif.StartsWith("Exif\0\0"u8)) exif = exif[6..];
        bool little = exif.StartsWith("II*\0"u8);
        if (exif.Length < 8 || !(little || exif.StartsWith("MM\0*"u8))) return SKEncodedOrigin.TopLeft;
        uint directory = Number(exif[4..], little);
        if (directory > exif.Length - 2) return SKEncodedOrigin.TopLeft;
        int entries = HalfNumber(exif[(int)directory..], little);
        ReadOnlySpan<byte> rest = exif[((int)directory + 2)..];
        for (int i = 0; i < entries && rest.Length >= EntryBytes; i++, rest = rest[EntryBytes..])
        {
            if (HalfNumber(rest, little) != Orientation) continue;
            uint value = HalfNumber(rest[2..], little) switch
            {
                Short => HalfNumber(rest[8..], little),
                Long => Number(rest[8..], little),
                _ => 0,
            };
            return value is >= 1 and <= 8 ? (SKEncodedOrigin)value : SKEncodedOrigin.TopLeft;
        }

        return SKEncodedOrigin.TopLeft;
    }

    private static ushort HalfNumber(ReadOnlySpan<byte> at, bool little)
        => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);

    private static uint Number(ReadOnlySpan<byte> at, bool little)
        => little ? BinaryPrimitives.ReadUInt32LittleEndian(at) : BinaryPrimitives.ReadUInt32BigEndian(at);
}
