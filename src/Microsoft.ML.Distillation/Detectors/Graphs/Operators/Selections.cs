using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Parts of tensors, and tensors of parts.</summary>
internal static class Selections
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Concat"] = Concat;
        table["Split"] = Split;
        table["Slice"] = Slice;
        table["Gather"] = Gather;
        table["Pad"] = Pad;
    }

    private static Tensor[] Concat(OperatorCall call)
    {
        Tensor[] parts = [.. Enumerable.Range(0, call.Count).Where(call.Has).Select(i => call[i])];
        return [cat(parts, call.Axis(call.Node.Int("axis"), parts[0].shape.Length))];
    }

    private static Tensor[] Split(OperatorCall call)
    {
        long axis = call.Axis(call.Node.Int("axis"), call.Shape(0).Length), size = call.Shape(0)[axis];
        long[] sizes = call.OptionalIntegers(1) ?? Even(size, (int)call.Node.Int("num_outputs", call.Node.Outputs.Count));
        if (sizes.Sum() != size) throw new FormatException($"the parts are {sizes.Sum()} long, the whole is {size}.");
        return call[0].split(sizes, axis);
    }

    // Equal parts but for the last, which may be smaller.
    private static long[] Even(long size, int parts)
    {
        long each = (size + parts - 1) / parts;
        return [.. Enumerable.Range(0, parts).Select(i => Math.Min(each, size - i * each))];
    }

    private static Tensor[] Slice(OperatorCall call)
    {
        Tensor x = call[0].alias();
        int rank = x.shape.Length;
        long[] starts = call.Integers(1), ends = call.Integers(2);
        long[] axes = call.OptionalIntegers(3) ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
        long[]? steps = call.OptionalIntegers(4);
        for (int i = 0; i < axes.Length; i++)
        {
            long axis = call.Axis(axes[i], rank), size = x.shape[axis], step = steps?[i] ?? 1;
            long start = starts[i] < 0 ? starts[i] + size : starts[i], end = ends[i] < 0 ? ends[i] + size : ends[i];
            if (step > 0)
            {
                start = Math.Clamp(start, 0, size);
                x = x.slice(axis, start, Math.Clamp(end, start, size), step);
                continue;
            }

            // libtorch has no steps backwards.
            var places = new List<long>();
            for (long at = Math.Clamp(start, 0, size - 1); at > Math.Clamp(end, -1, size - 1); at += step) places.Add(at);
            x = x.index_select(axis, Places(places, x.device));
        }

        return [x];
    }

    private static Tensor[] Gather(OperatorCall call)
    {
        Tensor x = call[0], places = call[1].to_type(ScalarType.Int64);
        long[] shape = x.shape, wanted = places.shape;
        int axis = (int)call.Axis(call.Node.Int("axis"), shape.Length);
        using TorchSharp.Scalar size = shape[axis];
        places = places.reshape(-1).remainder(size);
        return [x.index_select(axis, places).reshape([.. shape[..axis], .. wanted, .. shape[(axis + 1)..]])];
    }

    private static Tensor[] Pad(OperatorCall call)
    {
        Tensor x = call[0].alias();
        int rank = x.shape.Length;
        long[] pads = call.Integers(1);
        long[] axes = call.OptionalIntegers(3)?.Select(axis => call.Axis(axis, rank)).ToArray()
            ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        string mode = call.Node.Text("mode", "constant");
        if (mode == "constant")
        {
            long[] begin = new long[rank], end = new long[rank];
            for (int i = 0; i < axes.Length; i++) (begin[axes[i]], end[axes[i]]) = (pads[i], pads[axes.Length + i]);
            return [nn.functional.pad(x, Windows.ForPad(begin, end), value: call.OptionalFloat(2) ?? 0)];
        }

        for (int i = 0; i < axes.Length; i++)
        {
            long size = x.shape[axes[i]], begin = pads[i], end = pads[axes.Length + i];
            if (begin == 0 && end == 0) continue;
            var places = new List<long>();
            for (long at = -begin; at < size + end; at++)
            {
                places.Add(mode switch
                {
                    "edge" => Math.Clamp(at, 0, size - 1),
                    "reflect" when size > 1 => Mirrored(at, size),
                    _ => throw new NotSupportedException($"{call.Node.Label} pads in the mode '{mode}', which is not supported."),
                });
            }

            x = x.index_select(axes[i], Places(places, x.device));
        }

        return [x];
    }

    // The border itself is not repeated.
    private static long Mirrored(long at, long size)
    {
        long period = 2 * (size - 1), place = (at % period + period) % period;
        return place < size ? place : period - place;
    }

    private static Tensor Places(List<long> places, Device device) => from_array(places.ToArray()).to(device);
}
