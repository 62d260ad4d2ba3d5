// Decodes and encodes images with gdk-pixbuf (Debian: libgdk-pixbuf-2.0-0), which has JPEG, PNG and BMP from the system's libraries.
namespace Microsoft.ML.Data;

internal static unsafe class ImageCodec
{
    /// <summary>The image in a file's content; null where there is none. What is missing at the end of a file is left black.</summary>
    /// <exception cref="NotSupportedException">The content is an image of another kind than JPEG, PNG and BMP.</exception>
    public static MLImage Decode(ReadOnlySpan<byte> content)
    {
        if (TypeOf(content) is not { } type) return null;
        nint loader = GdkPixbuf.LoaderNewWithType(type, out nint error);
        if (loader == 0) throw GdkPixbuf.Failure($"gdk-pixbuf cannot read {type} images", error);
        bool closed = false;
        try
        {
            GdkPixbuf.Connect(loader, "area-prepared", &Clear, 0, 0, 0);
            fixed (byte* bytes = content)
            {
                if (GdkPixbuf.LoaderWrite(loader, bytes, (nuint)content.Length, out error) == 0)
                {
                    // A loader that cannot go on has closed itself.
                    closed = true;
                    GdkPixbuf.Free(error);
                    return null;
                }
            }

            // A file that ends early gives what there was of it.
            closed = true;
            if (GdkPixbuf.LoaderClose(loader, out error) == 0) GdkPixbuf.Free(error);
            nint pixbuf = GdkPixbuf.LoaderGetPixbuf(loader);
            return pixbuf == 0 ? null : Copy(pixbuf);
        }
        finally
        {
            if (!closed && GdkPixbuf.LoaderClose(loader, out error) == 0) GdkPixbuf.Free(error);
            GdkPixbuf.Unref(loader);
        }
    }

    /// <summary>The content of a file with the image.</summary>
    /// <param name="type">jpeg or png.</param>
    public static byte[] Encode(int width, int height, MLPixelFormat format, ReadOnlySpan<byte> pixels, string type)
    {
        bool hasAlpha = type == "png" && !IsOpaque(pixels);
        int channels = hasAlpha ? 4 : 3, red = format == MLPixelFormat.Bgra32 ? 2 : 0;
        var colours = new byte[channels * width * height];
        for (int from = 0, to = 0; from < pixels.Length; from += 4, to += channels)
        {
            byte alpha = pixels[from + 3];
            colours[to] = Unmultiplied(pixels[from + red], alpha, hasAlpha);
            colours[to + 1] = Unmultiplied(pixels[from + 1], alpha, hasAlpha);
            colours[to + 2] = Unmultiplied(pixels[from + 2 - red], alpha, hasAlpha);
            if (hasAlpha) colours[to + 3] = alpha;
        }

        string[] keys = type == "jpeg" ? ["quality", null] : [null], values = type == "jpeg" ? ["100", null] : [null];
        fixed (byte* data = colours)
        {
            nint pixbuf = GdkPixbuf.NewFromData(data, GdkPixbuf.Rgb, hasAlpha ? 1 : 0, 8, width, height, channels * width, 0, 0);
            try
            {
                if (GdkPixbuf.SaveToBuffer(pixbuf, out byte* buffer, out nuint size, type, keys, values, out nint error) == 0)
                    throw GdkPixbuf.Failure($"gdk-pixbuf cannot write a {type} image", error);
                byte[] content = new ReadOnlySpan<byte>(buffer, checked((int)size)).ToArray();
                GdkPixbuf.Free(buffer);
                return content;
            }
            finally
            {
                GdkPixbuf.Unref(pixbuf);
            }
        }
    }

    private static string TypeOf(ReadOnlySpan<byte> content)
    {
        if (content.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "jpeg";
        if (content.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return "png";
        if (content.StartsWith("BM"u8)) return "bmp";
        bool isOther = content.StartsWith("GIF8"u8) || (content.StartsWith("RIFF"u8) && content.Length > 12 && content[8..].StartsWith("WEBP"u8));
        return isOther ? throw new NotSupportedException("GIF and WebP images are not read here; JPEG, PNG and BMP are.") : null;
    }

    private static MLImage Copy(nint pixbuf)
    {
        int width = GdkPixbuf.Width(pixbuf), height = GdkPixbuf.Height(pixbuf), stride = GdkPixbuf.RowStride(pixbuf), channels = GdkPixbuf.Channels(pixbuf);
        byte* source = GdkPixbuf.Pixels(pixbuf);
        byte[] pixels = GC.AllocateUninitializedArray<byte>(4 * width * height);
        for (int y = 0, to = 0; y < height; y++)
        {
            byte* from = source + (long)y * stride;
            for (int x = 0; x < width; x++, from += channels, to += 4)
            {
                byte alpha = channels == 4 ? from[3] : byte.MaxValue;
                pixels[to] = Multiplied(from[2], alpha);
                pixels[to + 1] = Multiplied(from[1], alpha);
                pixels[to + 2] = Multiplied(from[0], alpha);
                pixels[to + 3] = alpha;
            }
        }

        return new MLImage(width, height, MLPixelFormat.Bgra32, pixels);
    }

    private static byte Multiplied(byte colour, byte alpha)
    {
        if (alpha == byte.MaxValue) return colour;
        int product = colour * alpha + 128;
        return (byte)((product + (product >> 8)) >> 8);
    }

    private static byte Unmultiplied(byte colour, byte alpha, bool hasAlpha)
        => !hasAlpha || alpha == byte.MaxValue ? colour : alpha == 0 ? (byte)0 : (byte)Math.Min((colour * 255 + alpha / 2) / alpha, 255);

    private static bool IsOpaque(ReadOnlySpan<byte> pixels)
    {
        for (int i = 3; i < pixels.Length; i += 4)
        {
            if (pixels[i] != byte.MaxValue) return false;
        }

        return true;
    }

    /// <summary>Blackens the image before it is decoded: gdk-pixbuf leaves in it what the memory held.</summary>
    [System.Runtime.InteropServices.UnmanagedCallersOnly]
    private static void Clear(nint loader, nint data)
    {
        nint pixbuf = GdkPixbuf.LoaderGetPixbuf(loader);
        if (pixbuf != 0) GdkPixbuf.Fill(pixbuf, 0x000000FF);
    }
}
