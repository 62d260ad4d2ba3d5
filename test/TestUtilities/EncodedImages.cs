using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Images;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Contents of image files of every kind that is read.</summary>
internal static class EncodedImages
{
    /// <summary>The endings of the kinds.</summary>
    public static readonly string[] Kinds = [".png", ".jpg", ".bmp", ".webp", ".gif"];

    /// <summary>An image as a file of a kind. Of a GIF the colours are shades of grey.</summary>
    public static byte[] Encode(RgbImage image, string kind) => kind switch
    {
        ".bmp" => Bmp(image),
        ".gif" => Gif(image),
        _ => Skia(image, kind),
    };

    /// <summary>A JPEG with an Exif header in front: an orientation (1 to 8) and a thumbnail, which is a whole JPEG itself.</summary>
    public static byte[] WithExif(byte[] jpeg, byte orientation, byte[] thumbnail)
    {
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, thumbnail.Length);
        byte[] exif =
        [
            .. "Exif\0\0II*\0"u8, 8, 0, 0, 0,
            1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 26, 0, 0, 0,
            2, 0, 0x01, 0x02, 4, 0, 1, 0, 0, 0, 56, 0, 0, 0, 0x02, 0x02, 4, 0, 1, 0, 0, 0, .. size, 0, 0, 0, 0,
            .. thumbnail,
        ];
        int length = exif.Length + 2;
        return [0xFF, 0xD8, 0xFF, 0xE1, (byte)(length >> 8), (byte)length, .. exif, .. jpeg.AsSpan(2)];
    }

    /// <summary>A WebP (as encoded here, lossy without alpha) in the extended form, with an orientation (1 to 8) behind.</summary>
    public static byte[] WebPWithExif(byte[] webp, ImageSize size, byte orientation)
    {
        byte[] exif = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
        byte[] extended = [0x08, 0, 0, 0, (byte)(size.Width - 1), 0, 0, (byte)(size.Height - 1), 0, 0];
        byte[] content = [.. "WEBP"u8, .. Chunk("VP8X"u8, extended), .. webp.AsSpan(12), .. Chunk("EXIF"u8, exif)];
        return [.. "RIFF"u8, .. Length(content), .. content];

        static byte[] Chunk(ReadOnlySpan<byte> name, byte[] data) => [.. name, .. Length(data), .. data];

        static byte[] Length(byte[] data)
        {
            byte[] length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, data.Length);
            return length;
        }
    }

    /// <summary>A PNG with an orientation (1 to 8) in its Exif data.</summary>
    /// <param name="behind">Whether they come behind the pixels.</param>
    /// <param name="bigEndian">The order of their bytes.</param>
    /// <param name="prefixed">Whether a JPEG's beginning of such data is left in front.</param>
    public static byte[] PngWithExif(byte[] png, byte orientation, bool behind, bool bigEndian, bool prefixed = false)
    {
        const int endBytes = 12, headBytes = 33;
        byte[] little =
        [
            .. "II*\0"u8, 8, 0, 0, 0, 2, 0,
            0x0F, 0x01, 2, 0, 1, 0, 0, 0, 65, 0, 0, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0,
        ];
        byte[] big =
        [
            .. "MM\0*"u8, 0, 0, 0, 8, 0, 2,
            0x01, 0x0F, 0, 2, 0, 0, 0, 1, 65, 0, 0, 0, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0,
        ];
        byte[] exif = [.. prefixed ? "Exif\0\0"u8 : [], .. bigEndian ? big : little, 0, 0, 0, 0];
        byte[] chunk = [0, 0, 0, (byte)exif.Length, .. "eXIf"u8, .. exif, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(^4), Crc(chunk.AsSpan(4..^4)));
        int at = behind ? png.Length - endBytes : headBytes;
        return [.. png.AsSpan(0, at), .. chunk, .. png.AsSpan(at)];
    }

    /// <summary>The checksum of a PNG's chunk, over its name and content.</summary>
    public static uint Crc(ReadOnlySpan<byte> content)
    {
        uint crc = uint.MaxValue;
        foreach (byte one in content)
        {
            crc ^= one;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        return ~crc;
    }

    private static byte[] Skia(RgbImage image, string kind)
    {
        var rgba = new byte[4 * image.Width * image.Height];
        for (int from = 0, to = 0; to < rgba.Length; from += 3, to += 4)
        {
            image.Pixels.AsSpan(from, 3).CopyTo(rgba.AsSpan(to));
            rgba[to + 3] = 255;
        }

        var info = new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var pinned = GCHandle.Alloc(rgba, GCHandleType.Pinned);
        using var pixels = new SKPixmap(info, pinned.AddrOfPinnedObject());
        SKEncodedImageFormat format = kind switch
        {
            ".png" => SKEncodedImageFormat.Png,
            ".webp" => SKEncodedImageFormat.Webp,
            _ => SKEncodedImageFormat.Jpeg,
        };
        byte[] content = pixels.Encode(format, 90).ToArray();
        pinned.Free();
        return content;
    }

    /// <summary>24 bits a pixel, rows from the bottom.</summary>
    private static byte[] Bmp(RgbImage image)
    {
        int stride = (3 * image.Width + 3) / 4 * 4;
        var content = new byte[54 + stride * image.Height];
        "BM"u8.CopyTo(content);
        (int At, int Value)[] header = [(2, content.Length), (10, 54), (14, 40), (18, image.Width), (22, image.Height), (26, 1 | 24 << 16)];
        foreach ((int at, int value) in header)
            BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(at), value);
        for (int y = 0; y < image.Height; y++)
        {
            for (int i = 0; i < 3 * image.Width; i++)
                content[54 + (image.Height - 1 - y) * stride + i] = image.Pixels[3 * (y * image.Width + i / 3) + 2 - i % 3];
        }

        return content;
    }

    /// <summary>Without compression: a code has eight bits as long as the table is cleared often enough.</summary>
    private static byte[] Gif(RgbImage image)
    {
        const int block = 120;
        byte[] size = [(byte)image.Width, (byte)(image.Width >> 8), (byte)image.Height, (byte)(image.Height >> 8)];
        var content = new List<byte>([.. "GIF89a"u8, .. size, 0xF6, 0, 0]);
        for (int shade = 0; shade < 128; shade++) content.AddRange(Enumerable.Repeat((byte)(2 * shade), 3));
        content.AddRange([(byte)',', 0, 0, 0, 0, .. size, 0, 7]);
        byte[] shades = [.. Enumerable.Range(0, image.Width * image.Height).Select(i => (byte)(image.Pixels[3 * i] / 2))];
        foreach (byte[] part in shades.Chunk(block)) content.AddRange([(byte)(part.Length + 1), 0x80, .. part]);
        content.AddRange([1, 0x81, 0, (byte)';']);
        return [.. content];
    }
}
