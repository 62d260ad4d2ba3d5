using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// An image file, opened: what its header says is known at once, its pixels are decoded when they are asked for. All that this
/// library reads of image files goes through here, so that size, orientation and an early end mean the same to everything: an image is
/// what a viewer shows, upright.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    /// <summary>How many pixels an image may have by default.</summary>
    public const long DefaultMaxPixels = 200_000_000;

    // As good as the photo for any eye, in a file of about its size.
    private const int CopyQuality = 95;

    // An array's length is the limit.
    private const long MostPixels = int.MaxValue / 4;

    private readonly SKCodec _codec;
    private readonly string _name;
    private readonly long _maxPixels;

    /// <param name="open">Opens the content once more, where the decoder does not say how it is turned.</param>
    private ImageFile(SKCodec codec, string name, long maxPixels, Func<Stream> open)
    {
        _codec = codec;
        _name = name;
        _maxPixels = Math.Min(maxPixels, MostPixels);
        Turn = ImageTurn.Of(OriginOf(codec, open), new ImageSize(codec.Info.Width, codec.Info.Height));
    }

    /// <summary>The size of the upright image.</summary>
    public ImageSize Size => Turn.Upright;

    /// <summary>How the stored pixels are turned to stand upright, by the file's Exif data.</summary>
    public ImageTurn Turn { get; }

    /// <summary>How the image is encoded, whatever the file is called.</summary>
    public SKEncodedImageFormat Encoding => _codec.EncodedFormat;

    /// <summary>Whether the image may be transparent somewhere.</summary>
    public bool MayBeTransparent => _codec.Info.AlphaType != SKAlphaType.Opaque;

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="maxPixels">How many pixels it may have, should they be asked for.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="UnreadableImageException">It is no image; the message names it.</exception>
    public static ImageFile Open(string path, long maxPixels = DefaultMaxPixels)
    {
        // Before all else: to open a pipe is to wait.
        if (InputFile.Problem(path) is { } problem) throw new UnreadableImageException(path, problem);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no image file '{path}'.", path);
        if (SKCodec.Create(path, out _) is { } codec) return new ImageFile(codec, path, maxPixels, () => File.OpenRead(path));
        if (RealPath.DeadLink(path) is { } dead) throw new FileNotFoundException(dead, path);
        // A file that may not be read says so by itself.
        using FileStream file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[ForeignImages.HeadLength];
        throw NoImage(head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)], path);
    }

    /// <summary>Opens the content of a file.</summary>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="maxPixels">How many pixels it may have, should they be asked for.</param>
    /// <exception cref="UnreadableImageException">It is no image; the message names it.</exception>
    public static ImageFile Open(ReadOnlySpan<byte> content, string name, long maxPixels = DefaultMaxPixels)
    {
        byte[] bytes = content.ToArray();
        return SKCodec.Create(SKData.CreateCopy(bytes)) is { } codec
            ? new ImageFile(codec, name, maxPixels, () => new MemoryStream(bytes, writable: false)) : throw NoImage(content, name);
    }

    /// <summary>The size of the upright image; no more than the header is read.</summary>
    /// <inheritdoc cref="Open(string, long)"/>
    public static ImageSize SizeOf(string path)
    {
        using ImageFile file = Open(path);
        return file.Size;
    }

    /// <summary>The size of the upright image, or null where there is none or it is broken.</summary>
    public static ImageSize? TrySizeOf(string path) => TryTurnOf(path)?.Upright;

    /// <summary>How an image is to be turned, or null where there is none or it is broken; no more than the header is read.</summary>
    public static ImageTurn? TryTurnOf(string path)
    {
        try
        {
            using ImageFile file = Open(path);
            return file.Turn;
        }
        catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The pixels of the upright image.</summary>
    /// <inheritdoc cref="Open(string, long)"/>
    /// <exception cref="UnreadableImageException">
    /// It is no image, a broken or too large one, or the file ends before it does; the message names it.
    /// </exception>
    public static RgbImage Read(string path, long maxPixels = DefaultMaxPixels)
    {
        using ImageFile file = Open(path, maxPixels);
        return file.Decode();
    }

    /// <summary>
    /// The pixels of an image and what is wrong with it, for those whose work one broken file shall not end. Of a file that ends early
    /// there are both: what is missing is filled up.
    /// </summary>
    public static (RgbImage? Image, string? Problem) TryRead(string path, long maxPixels = DefaultMaxPixels)
    {
        try
        {
            using ImageFile file = Open(path, maxPixels);
            return (file.Decode(out string? problem), problem);
        }
        catch (UnreadableImageException exception)
        {
            return (null, exception.Problem);
        }
        catch (FileNotFoundException)
        {
            return (null, RealPath.IsDeadLink(path) ? "the file is a link that leads nowhere" : "the file does not exist");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, $"the image cannot be read: {exception.Message}");
        }
    }

    /// <summary>The pixels of the upright image, for ML.NET; opaque, as transparency is ignored.</summary>
    /// <inheritdoc cref="Read(string, long)"/>
    public static MLImage ReadMLImage(string path, long maxPixels = DefaultMaxPixels)
    {
        using ImageFile file = Open(path, maxPixels);
        return file.DecodeMLImage();
    }

    /// <summary>The same of the content of a file.</summary>
    /// <inheritdoc cref="Open(ReadOnlySpan{byte}, string, long)"/>
    public static MLImage ReadMLImage(ReadOnlySpan<byte> content, string name, long maxPixels)
    {
        using ImageFile file = Open(content, name, maxPixels);
        return file.DecodeMLImage();
    }

    private MLImage DecodeMLImage()
    {
        byte[] rgba = DecodeUpright();
        for (int i = 3; i < rgba.Length; i += 4) rgba[i] = byte.MaxValue;
        return MLImage.CreateFromPixels(Size.Width, Size.Height, MLPixelFormat.Rgba32, rgba);
    }

    /// <summary>Writes an image upright, in the kind that it is of, without the data that would turn it again.</summary>
    /// <inheritdoc cref="Read(string, long)"/>
    public static void CopyUpright(string path, string copy, long maxPixels = DefaultMaxPixels)
    {
        using ImageFile file = Open(path, maxPixels);
        byte[] upright = file.DecodeUpright();
        SKAlphaType alpha = file.MayBeTransparent ? SKAlphaType.Unpremul : SKAlphaType.Opaque;
        using var picture = SKImage.FromPixelCopy(new SKImageInfo(file.Size.Width, file.Size.Height, SKColorType.Rgba8888, alpha), upright);
        using SKData content = picture.Encode(file.Encoding, CopyQuality)
            ?? throw new UnreadableImageException(path, $"a {file.Encoding} image cannot be written upright");
        using FileStream stream = File.Create(copy);
        content.SaveTo(stream);
    }

    /// <summary>
    /// What is wrong with a file that another decoder has read, one that does not tell; null where it is whole. For a JPEG this costs
    /// a third of the reading, as the picture is decoded at an eighth of its size; others are read again.
    /// </summary>
    /// <inheritdoc cref="Open(string, long)"/>
    public static string? Problem(string path)
    {
        using ImageFile file = Open(path);
        return file.Problem();
    }

    /// <inheritdoc cref="Problem(string)"/>
    public string? Problem()
    {
        CheckSize();
        SKSizeI size = _codec.GetScaledDimensions(1 / 8f);
        byte[] pixels = ArrayPool<byte>.Shared.Rent(4 * size.Width * size.Height);
        string? problem = Decode(pixels, size.Width, size.Height);
        ArrayPool<byte>.Shared.Return(pixels);
        return problem;
    }

    /// <summary>Decodes the pixels of the upright image: colours as they are stored; transparency is ignored.</summary>
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

    /// <summary>How the image is turned. The decoder does not look at a PNG's Exif data, as viewers do.</summary>
    private static SKEncodedOrigin OriginOf(SKCodec codec, Func<Stream> open)
    {
        if (codec.EncodedFormat != SKEncodedImageFormat.Png || codec.EncodedOrigin != SKEncodedOrigin.TopLeft) return codec.EncodedOrigin;
        using Stream png = open();
        return PngExif.OriginOf(png);
    }

    private static UnreadableImageException NoImage(ReadOnlySpan<byte> head, string name)
        => new(name, ForeignImages.KindOf(head, name) is { } kind ? ForeignImages.Advice(kind, name) : UnreadableImageException.NoImage);

    /// <exception cref="UnreadableImageException">The image is larger than the limit.</exception>
    public void CheckSize()
    {
        if ((long)Size.Width * Size.Height <= _maxPixels) return;
        string limit = _maxPixels.ToString("N0", CultureInfo.InvariantCulture);
        throw new UnreadableImageException(
            _name, $"its {Size} pixels are more than the {limit} that are read"
                + (_maxPixels < MostPixels ? "; if it is to be read, raise MaxPixels" : ""));
    }

    private int RgbaLength()
    {
        CheckSize();
        return 4 * Size.Width * Size.Height;
    }

    private RgbImage Decode(out string? problem)
    {
        int length = RgbaLength();
        byte[] rgba = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            problem = DecodeStored(rgba);
            byte[] rgb = GC.AllocateUninitializedArray<byte>(length / 4 * 3);
            if (Turn.IsNone)
            {
                for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
                    (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
            }
            else
            {
                CopyUpright(rgba, rgb);
            }

            return new RgbImage(Size.Width, Size.Height, rgb);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rgba);
        }
    }

    private void CopyUpright(byte[] rgba, byte[] rgb)
    {
        int to = 0;
        for (int y = 0; y < Size.Height; y++)
        {
            int from = 4 * (Turn.First + y * Turn.Down);
            for (int x = 0; x < Size.Width; x++, from += 4 * Turn.Right, to += 3)
                (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
        }
    }

    private byte[] DecodeUpright()
    {
        byte[] rgba = GC.AllocateUninitializedArray<byte>(RgbaLength());
        if (DecodeStored(rgba) is { } problem) throw new UnreadableImageException(_name, problem);
        if (Turn.IsNone) return rgba;
        byte[] turned = GC.AllocateUninitializedArray<byte>(rgba.Length);
        ReadOnlySpan<uint> stored = MemoryMarshal.Cast<byte, uint>(rgba);
        Span<uint> pixels = MemoryMarshal.Cast<byte, uint>(turned.AsSpan());
        int to = 0;
        for (int y = 0; y < Size.Height; y++)
        {
            int from = Turn.First + y * Turn.Down;
            for (int x = 0; x < Size.Width; x++, from += Turn.Right) pixels[to++] = stored[from];
        }

        return turned;
    }

    private string? DecodeStored(byte[] rgba) => Decode(rgba, Turn.Stored.Width, Turn.Stored.Height);

    private string? Decode(byte[] rgba, int width, int height)
    {
        SKAlphaType alpha = MayBeTransparent ? SKAlphaType.Unpremul : SKAlphaType.Opaque;
        var pinned = GCHandle.Alloc(rgba, GCHandleType.Pinned);
        try
        {
            return _codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), pinned.AddrOfPinnedObject()) switch
            {
                SKCodecResult.Success => null,
                SKCodecResult.IncompleteInput => UnreadableImageException.EndsEarly,
                _ => UnreadableImageException.Broken,
            };
        }
        finally
        {
            pinned.Free();
        }
    }
}
