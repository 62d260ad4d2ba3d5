namespace Microsoft.ML.Distillation.Published.Decoders;

// Of cell (i, j) of a map h × w, in shares of the input:
//     x = (j + tanh t_x) / w,   y = (i + tanh t_y) / h,   width = σ(t_w),   height = σ(t_h)
//     P_c = objectness · class_c,      ranked by  objectness^0.6 · max_c class_c^0.4
//
// FastestDet (dog-qiuqiu, 2022). The score that it ranks by is no probability, the product is: its classes come from a softmax.

/// <summary>Reads FastestDet's map; the formula stands at the top of the file.</summary>
internal sealed class FastestDetDecoder : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.FastestDet;

    public string Layout => "one output [5 + C, h, w]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => Find(outputs, context) is not null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        OnnxOutput map = Find(outputs, context)!;
        (int height, int width) = (map.Shape[1], map.Shape[2]);
        (float inputWidth, float inputHeight) = (context.Input.Width, context.Input.Height);
        int cells = height * width;
        ReadOnlySpan<float> values = map.Values.Span;
        var probabilities = new float[context.Classes];
        for (int cell = 0; cell < cells; cell++)
        {
            float objectness = values[cell], best = 0;
            for (int c = 0; c < probabilities.Length; c++)
            {
                float given = values[(5 + c) * cells + cell];
                best = Math.Max(best, given);
                probabilities[c] = objectness * given;
            }

            float confidence = MathF.Pow(objectness, 0.6f) * MathF.Pow(best, 0.4f);
            if (!(confidence >= sink.Floor)) continue;
            float x = (cell % width + MathF.Tanh(values[cells + cell])) / width;
            float y = (cell / width + MathF.Tanh(values[2 * cells + cell])) / height;
            sink.AddCentred(
                x * inputWidth, y * inputHeight,
                Sigmoid(values[3 * cells + cell]) * inputWidth, Sigmoid(values[4 * cells + cell]) * inputHeight,
                probabilities, confidence);
        }
    }

    private static OnnxOutput? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => outputs.Count == 1 && outputs[0].Shape.Count == 3 && outputs[0].Shape[0] == 5 + context.Classes ? outputs[0] : null;

    private static float Sigmoid(float value) => 1 / (1 + MathF.Exp(-value));
}
