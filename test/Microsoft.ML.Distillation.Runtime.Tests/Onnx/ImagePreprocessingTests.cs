using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests.Onnx;

public class ImagePreprocessingTests
{
    [TestCase(40, 30, 40, 30)]
    [TestCase(640, 480, 192, 144)]
    [TestCase(333, 251, 96, 160)]
    [TestCase(17, 9, 64, 32)]
    [TestCase(1, 1, 16, 16)]
    [TestCase(100, 3, 33, 21)]
    public void Pixels_BecomeTheTriangleFilteredImage_OfTheNetworksSize(int width, int height, int toWidth, int toHeight)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(5).NextBytes(pixels);

        float[] actual = Run(pixels, width, height, toWidth, toHeight);

        float[] expected = TriangleFilter(pixels, width, height, toWidth, toHeight);
        Assert.That(actual, Is.EqualTo(expected).AsCollection.Within(2e-5f));
    }

    [Test]
    public void Boxes_BecomePixels_OfTheImage()
    {
        var graph = new GraphBuilder();
        graph.Input("boxes", TensorProto.Types.DataType.Float, 1, "n", 4);
        graph.Input("size", TensorProto.Types.DataType.Int64, 1, 2);
        graph.Output("pixels", ImagePreprocessing.WriteBoxesToPixels(graph, "boxes", "size"), TensorProto.Types.DataType.Float, 1, "n", 4);

        float[] boxes = (float[])OnnxRun.Run(graph,
            OnnxRun.Value("boxes", new[] { 0f, .25f, .5f, 1f, .1f, .2f, .3f, .4f }, 1, 2, 4),
            OnnxRun.Value("size", new[] { 100L, 200L }, 1, 2))["pixels"];

        Assert.That(boxes, Is.EqualTo(new[] { 0f, 25f, 100f, 100f, 20f, 20f, 60f, 40f }).AsCollection.Within(1e-4f));
    }

    private static float[] Run(byte[] pixels, int width, int height, int toWidth, int toHeight)
    {
        var graph = new GraphBuilder();
        graph.Input("pixels", TensorProto.Types.DataType.Uint8, 1, "bytes");
        graph.Input("size", TensorProto.Types.DataType.Int64, 1, 2);
        string image = ImagePreprocessing.Write(graph, "pixels", "size", toWidth, toHeight);
        graph.Output("image", image, TensorProto.Types.DataType.Float, 1, 3, toHeight, toWidth);
        return (float[])OnnxRun.Run(graph, OnnxRun.Value("pixels", pixels, 1, pixels.Length),
            OnnxRun.Value("size", new long[] { height, width }, 1, 2))["image"];
    }

    /// <summary>The definition, in double precision: each output is the weighted mean of the inputs under its triangle.</summary>
    private static float[] TriangleFilter(byte[] pixels, int width, int height, int toWidth, int toHeight)
    {
        double[][] columns = Weights(width, toWidth), rows = Weights(height, toHeight);
        var result = new float[3 * toWidth * toHeight];
        for (int c = 0; c < 3; c++)
        {
            var narrowed = new double[height * toWidth];
            for (int y = 0; y < height; y++)
                for (int x = 0; x < toWidth; x++)
                    for (int i = 0; i < width; i++)
                        narrowed[y * toWidth + x] += columns[x][i] * pixels[(y * width + i) * 3 + c];
            for (int y = 0; y < toHeight; y++)
                for (int x = 0; x < toWidth; x++)
                {
                    double sum = 0;
                    for (int i = 0; i < height; i++) sum += rows[y][i] * narrowed[i * toWidth + x];
                    result[(c * toHeight + y) * toWidth + x] = (float)(sum / 255);
                }
        }

        return result;
    }

    private static double[][] Weights(int from, int to)
    {
        double scale = (double)from / to, support = Math.Max(scale, 1);
        return [.. Enumerable.Range(0, to).Select(o =>
        {
            double centre = (o + .5) * scale;
            double[] weights = [.. Enumerable.Range(0, from).Select(i => Math.Max(0, 1 - Math.Abs(i + .5 - centre) / support))];
            double sum = weights.Sum();
            return weights.Select(w => w / sum).ToArray();
        })];
    }
}
