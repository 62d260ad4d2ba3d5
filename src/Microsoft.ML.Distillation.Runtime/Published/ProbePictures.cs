using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Published;

/// <summary>
/// What a model says of pictures made for asking: a grey one, noise, coloured squares, and squares on black. Detectors that end in a
/// threshold find nothing in the first, and some in none; each picture is shown only when it is asked for.
/// </summary>
internal sealed class ProbePictures(IModelRunner runner, ImageSize size)
{
    private const int Seed = 20;
    private const int Pictures = 4;

    private readonly OnnxAnswer?[] _answers = new OnnxAnswer?[Pictures];

    /// <summary>What it says of grey.</summary>
    public OnnxAnswer Grey => Answer(0);

    /// <summary>Its outputs for each picture.</summary>
    public IEnumerable<IReadOnlyList<OnnxOutput>> Outputs => Enumerable.Range(0, Pictures).Select(i => Answer(i).Outputs);

    private OnnxAnswer Answer(int picture) => _answers[picture] ??= runner.Run(Draw(picture), size)[0];

    private float[] Draw(int picture) => Draw(picture, size, runner.Input.TakesBytes);

    /// <summary>A picture: 0 grey, 1 noise, 2 coloured squares, 3 squares on black.</summary>
    /// <param name="bytes">Whether it is drawn from 0 to 255, but for the grey one.</param>
    /// <returns>[3,H,W].</returns>
    internal static float[] Draw(int picture, ImageSize size, bool bytes)
    {
        var values = new float[3 * size.Width * size.Height];
        var random = new Random(Seed);
        if (picture == 0) Array.Fill(values, 0.5f);
        else if (picture == 1) Noise(values, random);
        else Squares(values, size, random, everywhere: picture == 2);
        // What takes bytes sees 0 to 255.
        if (bytes && picture > 0) for (int i = 0; i < values.Length; i++) values[i] *= byte.MaxValue;
        return values;
    }

    private static void Noise(float[] values, Random random)
    {
        for (int i = 0; i < values.Length; i++) values[i] = random.NextSingle();
    }

    private static void Squares(float[] values, ImageSize size, Random random, bool everywhere)
    {
        int side = Math.Max(4, Math.Min(size.Width, size.Height) / 8), across = (size.Width + side - 1) / side;
        float[] colours = new float[3 * across * ((size.Height + side - 1) / side)];
        for (int square = 0; square < colours.Length; square += 3)
        {
            bool lit = everywhere || random.NextSingle() < 0.2f;
            for (int c = 0; c < 3; c++) colours[square + c] = random.NextSingle() * (lit ? 1 : 0);
        }

        for (int y = 0; y < size.Height; y++)
        {
            for (int x = 0; x < size.Width; x++)
            {
                int square = 3 * (y / side * across + x / side);
                for (int c = 0; c < 3; c++) values[(c * size.Height + y) * size.Width + x] = colours[square + c];
            }
        }
    }
}
