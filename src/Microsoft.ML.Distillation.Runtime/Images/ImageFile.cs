using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// An image file, opened: what its header says is known at once, its pixels are decoded when they are asked for. All that this
/// library reads of image files goes through here, so that size, orientation and an early end mean the same to everything.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    // An array's length is the limit.
    private const long MostPixels = int.MaxValue / 4;

    private static ReadOnlySpan<byte> PngEnd => [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];

    private readonly SKCodec _codec;
    private readonly string _name;

    private ImageFile(SKCodec codec, string name)
    {
        _codec = codec;
        _name = name;
        Size = new ImageSize(codec.Info.Width, codec.Info.Height);
    }

    /// <summary>The size as it is stored, before any turning.</summary>
    public ImageSize Size { get; }

    /// <summary>How the stored pixels are to be turned to stand upright, by the file's Exif data. Nothing is turned yet.</summary>
    public SKEncodedOrigin Orientation => _codec.EncodedOrigin;

    /// <summary>Opens a file and reads its header.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="UnreadableImageException">It is no image; the message names it.</exception>
    public static ImageFile Open(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no image file '{path}'.", path);
        if (SKCodec.Create(path, out _) is { } codec) return new ImageFile(codec, path);
        // A file that may not be read says so by itself.
        using (File.OpenRead(path)) throw NoImage(path);
    }

    /// <summary>Opens the content of a file.</summary>
    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="UnreadableImageException">It is no image; the message names it.</exception>
    public static ImageFile Open(ReadOnlySpan<byte> content, string name)
        => SKCodec.Create(SKData.CreateCopy(content)) is { } codec ? new ImageFile(codec, name) : throw NoImage(name);

    /// <summary>The size of an image; no more than the header is read.</summary>
    /// <inheritdoc cref="Open(string)"/>
    public static ImageSize SizeOf(string path)
    {
        using ImageFile file = Open(path);
        return file.Size;
    }

    /// <summary>The size of an image, or null where there is none or it is broken.</summary>
    public static ImageSize? TrySizeOf(string path)
    {
        try
        {
            return SizeOf(path);
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The pixels of an image.</summary>
    /// <inheritdoc cref="Open(string)"/>
    /// <exception cref="UnreadableImageException">
    /// It is no image, a broken one, or the file ends before it does; the message names it.
    /// </exception>
    public static RgbImage Read(string path)
    {
        using ImageFile file = Open(path);
        return file.Decode();
    }

    /// <summary>
    /// The pixels of an image and what is wrong with it, for those whose work one broken file shall not end. Of a file that ends early
    /// there are both: what is missing is filled up.
    /// </summary>
    public static (RgbImage? Image, string? Problem) TryRead(string path)
    {
        try
        {
            using ImageFile file = Open(path);
            return (file.Decode(out string? problem), problem);
        }
        catch (UnreadableImageException exception)
        {
            return (null, exception.Problem);
        }
        catch (FileNotFoundException)
        {
            return (null, "the file does not exist");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, $"the image cannot be read: {exception.Message}");
        }
    }

    /// <summary>The pixels of an image, for ML.NET.</summary>
    /// <inheritdoc cref="Read(string)"/>
    public static MLImage ReadMLImage(string path)
    {
        using ImageFile file = Open(path);
        var pixels = new byte[file.RgbaLength()];
        if (file.Decode(pixels) is { } problem) throw new UnreadableImageException(path, problem);
        return MLImage.CreateFromPixels(file.Size.Width, file.Size.Height, MLPixelFormat.Rgba32, pixels);
    }

    /// <summary>
    /// What is wrong with a file that another decoder has read, one that does not tell; null where it is whole. For a JPEG this costs
    /// a third of the reading, as the picture is decoded at an eighth of its size; a PNG, of which there is no small decoding, is asked
    /// for its last chunk first, whose bytes are always the same and are not left by a cut.
    /// </summary>
    /// <inheritdoc cref="Open(string)"/>
    public static string? Problem(string path)
    {
        using ImageFile file = Open(path);
        return file._codec.EncodedFormat == SKEncodedImageFormat.Png && EndsIn(path, PngEnd) ? null : file.Problem();
    }

    /// <inheritdoc cref="Problem(string)"/>
    public string? Problem()
    {
        SKSizeI size = _codec.GetScaledDimensions(1 / 8f);
        byte[] pixels = ArrayPool<byte>.Shared.Rent(RgbaLength(size.Width, size.Height));
        string? problem = Decode(pixels, size.Width, size.Height);
        ArrayPool<byte>.Shared.Return(pixels);
        return problem;
    }

    private static bool EndsIn(string path, ReadOnlySpan<byte> end)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        Span<byte> last = stackalloc byte[end.Length];
        stream.Seek(-Math.Min(last.Length, stream.Length), SeekOrigin.End);
        return stream.ReadAtLeast(last, last.Length, throwOnEndOfStream: false) == last.Length && last.SequenceEqual(end);
    }

    /// <summary>Decodes the pixels: colours as they are stored; transparency is ignored.</summary>
    /// <exception cref="UnreadableImageException">
    /// The image is broken or too large, or the file ends before it does; the message names it.
    /// </exception>
    public RgbImage Decode()
    {
        RgbImage image = Decode(out string? problem);
        return problem is null ? image : throw new UnreadableImageException(_name, problem);
    }

    /// <inheritdoc/>
    public void Dispose() => _codec.Dispose();

    private static UnreadableImageException NoImage(string name) => new(name, UnreadableImageException.NoImage);

    private int RgbaLength() => RgbaLength(Size.Width, Size.Height);

    private int RgbaLength(int width, int height) => (long)width * height <= MostPixels
        ? 4 * width * height
        : throw new UnreadableImageException(_name, $"its {Size} pixels are more than can be read");

    private RgbImage Decode(out string? problem)
    {
        int length = RgbaLength();
        byte[] rgba = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            problem = Decode(rgba);
            byte[] rgb = GC.AllocateUninitializedArray<byte>(length / 4 * 3);
            for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
                (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
            return new RgbImage(Size.Width, Size.Height, rgb);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rgba);
        }
    }

    /// <summary>
    /// Every pixel that leaves a file passes here: this is where an image is to be turned upright, and <see cref="Size"/> with it.
    /// </summary>
    private string? Decode(byte[] rgba) => Decode(rgba, Size.Width, Size.Height);

    private string? Decode(byte[] rgba, int width, int height)
    {
        SKAlphaType alpha = _codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        var pinned = GCHandle.Alloc(rgba, GCHandleType.Pinned);
        try
        {
            return _codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), pinned.AddrOfPinnedObject()) switch
            {
                SKCodecResult.Success => null,
                SKCodecResult.IncompleteInput => UnreadableImageException.EndsEarly,
                _ => "its pixels are broken",
            };
        }
        finally
        {
            pinned.Free();
        }
    }
}
