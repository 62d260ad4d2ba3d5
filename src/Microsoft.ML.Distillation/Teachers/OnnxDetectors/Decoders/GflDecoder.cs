using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

// Of cell (i, j) of stride s, with logits l of m + 1 bins for each side:
//     d_side = s Σ_k k · softmax(l_side)_k
//     x0 = (j + o) s − d_left,   y0 = (i + o) s − d_top,   x1 = (j + o) s + d_right,   y1 = (i + o) s + d_bottom
//
// Li et al., Generalized Focal Loss (NeurIPS 2020). The offset o is 0 in NanoDet-Plus (and in mmdetection's GFL) and ½ in the first
// NanoDet and in PicoDet.

/// <summary>Reads class scores and distributions over box sides; the formula stands at the top of the file.</summary>
internal sealed class GflDecoder : IOutputDecoder
{
    public TeacherFormat Format => TeacherFormat.Gfl;

    public string Layout =>
        "one output [cells of strides 8, 16, 32 (, 64), C + 4(m + 1)], or for each level classes [cells, C] and distances [cells, 4(m + 1)]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => GflLevels.Find(outputs, context).Count > 0;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        foreach (GflLevel level in GflLevels.Find(outputs, context)) Decode(level, context, sink);
    }

    private static void Decode(GflLevel level, DecoderContext context, PredictionSink sink)
    {
        ImageSize input = context.Input;
        int across = GridLevels.Across(input.Width, level.Stride), cells = GridLevels.Cells(input, level.Stride);
        float offset = context.Options.CellOffset ?? level.Offset;
        ScoreActivation activation = context.Options.Activation;
        if (activation == ScoreActivation.Auto)
            activation = level.Classes.AreProbabilities(cells, context.Classes) ? ScoreActivation.None : ScoreActivation.Sigmoid;

        var scores = new float[context.Classes];
        var shares = new float[4 * level.Bins];
        for (int cell = 0; cell < cells; cell++)
        {
            level.Classes.Read(cell, 0, scores);
            ClassScores.Activate(scores, activation);
            if (!(TensorPrimitives.Max(scores) >= sink.Floor)) continue;
            for (int side = 0; side < 4; side++)
            {
                Span<float> bins = shares.AsSpan(side * level.Bins, level.Bins);
                level.Distances.Read(cell, side * level.Bins, bins);
                TensorPrimitives.SoftMax<float>(bins, bins);
            }

            float x = (cell % across + offset) * level.Stride, y = (cell / across + offset) * level.Stride;
            sink.AddDistributions(x, y, level.Stride, shares, scores);
        }
    }
}
