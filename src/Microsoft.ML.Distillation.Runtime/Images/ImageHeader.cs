using System.Buffers.Binary;
using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Images;

/// <summary>Reads the size of an image from the first bytes of its file, without decoding it.</summary>
internal static class ImageHeader
{
    private const uint Png = 0x89504E47;

    /// <summary>The size of an image as it is stored; a rotation in its Exif data is not applied, as ML.NET does not apply it either.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="FormatException">It is no image.</exception>
    public static ImageSize Read(string path)
    {
        using (FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 512))
        {
            if (Read(stream) is { } size) return size;
        }

        try
        {
            // A kind of image that only the decoder knows, or none.
            using MLImage image = MLImage.CreateFromFile(path);
            return new ImageSize(image.Width, image.Height);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new FormatException($"{path}: this is no image whose size can be read.", exception);
        }
    }

    /// <summary>The size of an image, or null where there is none or it is broken.</summary>
    public static ImageSize? TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The size in a JPEG, PNG or BMP file, or null where it is none of these or broken.</summary>
    public static ImageSize? Read(Stream stream)
    {
        Span<byte> start = stackalloc byte[26];
        int count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (count >= 2 && start[0] == 0xFF && start[1] == 0xD8)
        {
            stream.Position = 2;
            return ReadJpeg(stream);
        }

        if (count < start.Length) return null;
        if (BinaryPrimitives.ReadUInt32BigEndian(start) == Png)
            return Sized(BinaryPrimitives.ReadInt32BigEndian(start[16..]), BinaryPrimitives.ReadInt32BigEndian(start[20..]));
        if (start[0] != 'B' || start[1] != 'M') return null;
        // The oldest header, of 12 bytes, has a size in two bytes each; a negative height means that rows run downwards.
        return BinaryPrimitives.ReadInt32LittleEndian(start[14..]) == 12
            ? Sized(BinaryPrimitives.ReadUInt16LittleEndian(start[18..]), BinaryPrimitives.ReadUInt16LittleEndian(start[20..]))
            : Sized(BinaryPrimitives.ReadInt32LittleEndian(start[18..]), Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(start[22..])));
    }

    /// <summary>Goes from segment to segment to the frame header, which holds the size.</summary>
    private static ImageSize? ReadJpeg(Stream stream)
    {
        Span<byte> segment = stackalloc byte[2], frame = stackalloc byte[5];
        while (true)
        {
            int marker = stream.ReadByte();
            while (marker == 0xFF) marker = stream.ReadByte();
            if (marker < 0) return null;
            // Not after a 0xFF (stray bytes), restart and start markers: nothing follows that has a length.
            if (marker is < 0xC0 or (>= 0xD0 and <= 0xD8)) continue;
            if (stream.ReadAtLeast(segment, 2, throwOnEndOfStream: false) < 2) return null;
            int length = BinaryPrimitives.ReadUInt16BigEndian(segment);
            if (length < 2 || marker is 0xD9 or 0xDA) return null;
            if (marker is <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return stream.ReadAtLeast(frame, 5, throwOnEndOfStream: false) < 5
                    ? null
                    : Sized(BinaryPrimitives.ReadUInt16BigEndian(frame[3..]), BinaryPrimitives.ReadUInt16BigEndian(frame[1..]));
            }

            stream.Position += length - 2;
        }
    }

    private static ImageSize? Sized(long width, long height)
        => width is > 0 and <= int.MaxValue && height is > 0 and <= int.MaxValue ? new ImageSize((int)width, (int)height) : null;
}

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
