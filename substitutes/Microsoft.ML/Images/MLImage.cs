// An image in memory: four bytes a pixel, rows without padding, colours multiplied by their opacity.
namespace Microsoft.ML.Data;

public enum MLPixelFormat
{
    Unknown = 0,
    Bgra32 = 1,
    Rgba32 = 2,
}

public sealed class MLImage : IDisposable
{
    private readonly int _width;
    private readonly int _height;
    private readonly MLPixelFormat _format;
    private byte[] _pixels;

    internal MLImage(int width, int height, MLPixelFormat format, byte[] pixels) => (_width, _height, _format, _pixels) = (width, height, format, pixels);

    public string Tag { get; set; }

    public int Width => Checked(_width);

    public int Height => Checked(_height);

    public MLPixelFormat PixelFormat => Checked(_format);

    public int BitsPerPixel => Checked(32);

    public ReadOnlySpan<byte> Pixels => Checked(_pixels);

    public byte[] GetBGRPixels
    {
        get
        {
            byte[] pixels = Checked(_pixels);
            var bgr = new byte[3 * _width * _height];
            int blue = _format == MLPixelFormat.Bgra32 ? 0 : 2;
            for (int from = 0, to = 0; to < bgr.Length; from += 4, to += 3)
                (bgr[to], bgr[to + 1], bgr[to + 2]) = (pixels[from + blue], pixels[from + 1], pixels[from + 2 - blue]);
            return bgr;
        }
    }

    public static MLImage CreateFromStream(Stream imageStream)
    {
        ArgumentNullException.ThrowIfNull(imageStream);
        using var content = new MemoryStream();
        imageStream.CopyTo(content);
        return ImageCodec.Decode(content.GetBuffer().AsSpan(0, (int)content.Length)) ?? throw new ArgumentException("Invalid input stream contents", nameof(imageStream));
    }

    public static MLImage CreateFromFile(string imagePath)
    {
        ArgumentNullException.ThrowIfNull(imagePath);
        return (File.Exists(imagePath) ? ImageCodec.Decode(File.ReadAllBytes(imagePath)) : null) ?? throw new ArgumentException("Invalid path", nameof(imagePath));
    }

    public static MLImage CreateFromPixels(int width, int height, MLPixelFormat pixelFormat, ReadOnlySpan<byte> imagePixelData)
    {
        if (pixelFormat is not (MLPixelFormat.Bgra32 or MLPixelFormat.Rgba32)) throw new ArgumentException("Unsupported pixel format", nameof(pixelFormat));
        if (width <= 0) throw new ArgumentException("Invalid width value.", nameof(width));
        if (height <= 0) throw new ArgumentException("Invalid height value.", nameof(height));
        if (imagePixelData.Length != 4L * width * height) throw new ArgumentException("Invalid imagePixelData buffer size.");
        return new MLImage(width, height, pixelFormat, imagePixelData.ToArray());
    }

    public void Save(string imagePath)
    {
        byte[] pixels = Checked(_pixels);
        string type = Path.GetExtension(imagePath)?.ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => "jpeg",
            ".PNG" => "png",
            ".WEBP" => throw new NotSupportedException("WebP images are not written here."),
            ".BMP" or ".GIF" or ".ICO" or ".WBMP" or ".PKM" or ".KTX" or ".ASTC" or ".DNG" or ".HEIF" => throw new ArgumentException(
                $"Saving image with the format '{Path.GetExtension(imagePath)}' is not supported. Try save it with `Jpeg`, `Png`, or `Webp` format.", nameof(imagePath)),
            _ => throw new ArgumentException("Path has invalid image file extension.", nameof(imagePath)),
        };
        File.WriteAllBytes(imagePath, ImageCodec.Encode(_width, _height, _format, pixels, type));
    }

    public void Dispose() => _pixels = null;

    private T Checked<T>(T value) => _pixels is null ? throw new InvalidOperationException("Object is disposed.") : value;
}
