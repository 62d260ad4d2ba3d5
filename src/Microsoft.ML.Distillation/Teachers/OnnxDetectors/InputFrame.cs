using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Where in a model's input the image lies: everywhere, or inside a letterbox. All in pixels of the input.</summary>
internal readonly record struct InputFrame(ImageSize Input, int X, int Y, int Width, int Height)
{
    /// <summary>Whether there are no bars.</summary>
    public bool IsWhole => Width == Input.Width && Height == Input.Height;

    /// <summary>Lays an image of some size into the input.</summary>
    public static InputFrame For(ImageSize input, ImageSize image, ImageFit fit)
    {
        if (fit == ImageFit.Stretch) return new InputFrame(input, 0, 0, input.Width, input.Height);
        double scale = Math.Min((double)input.Width / image.Width, (double)input.Height / image.Height);
        int width = Math.Clamp((int)Math.Round(image.Width * scale), 1, input.Width);
        int height = Math.Clamp((int)Math.Round(image.Height * scale), 1, input.Height);
        return fit == ImageFit.LetterboxTopLeft
            ? new InputFrame(input, 0, 0, width, height)
            : new InputFrame(input, (input.Width - width) / 2, (input.Height - height) / 2, width, height);
    }

    /// <summary>A horizontal position in the input as a share of the image, which may lie outside it.</summary>
    public float ShareX(float pixel) => (pixel - X) / Width;

    /// <summary>A vertical position in the input as a share of the image, which may lie outside it.</summary>
    public float ShareY(float pixel) => (pixel - Y) / Height;
}
