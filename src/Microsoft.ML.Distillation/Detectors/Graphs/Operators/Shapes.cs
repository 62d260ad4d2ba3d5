using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Shapes, and what gives tensors others.</summary>
internal static class Shapes
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Shape"] = Shape;
        table["Size"] = call => [from_array(new[] { call.Shape(0).Aggregate(1L, (product, size) => product * size) }).reshape([])];
        table["Reshape"] = Reshape;
        table["Flatten"] = Flatten;
        table["Transpose"] = Transpose;
        table["Squeeze"] = Squeeze;
        table["Unsqueeze"] = Unsqueeze;
        table["Expand"] = Expand;
        table["Tile"] = call => [call[0].tile(call.Integers(1))];
        table["DepthToSpace"] = DepthToSpace;
        table["SpaceToDepth"] = SpaceToDepth;
        table["Cast"] = call => [call[0].to_type(Type((Onnx.Proto.TensorProto.Types.DataType)call.Node.Int("to"), call))];
        table["ConstantOfShape"] = ConstantOfShape;
        table["Range"] = Range;
    }

    private static Tensor[] Shape(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        int rank = shape.Length, start = Place("start", 0), end = Place("end", rank);
        return [from_array(start < end ? shape[start..end] : [])];

        int Place(string attribute, long otherwise)
        {
            long place = call.Node.Int(attribute, otherwise);
            return (int)Math.Clamp(place < 0 ? place + rank : place, 0, rank);
        }
    }

    private static Tensor[] Reshape(OperatorCall call)
    {
        long[] shape = call.Integers(1), own = call.Shape(0);
        if (!call.Node.Flag("allowzero"))
        {
            for (int i = 0; i < shape.Length; i++)
            {
                if (shape[i] == 0) shape[i] = own[i];
            }
        }

        return [call[0].reshape(shape)];
    }

    private static Tensor[] Flatten(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        int axis = (int)call.Node.Int("axis", 1);
        if (axis < 0) axis += shape.Length;
        long rows = shape[..axis].Aggregate(1L, (product, size) => product * size);
        return [call[0].reshape(rows, shape[axis..].Aggregate(1L, (product, size) => product * size))];
    }

    private static Tensor[] Transpose(OperatorCall call)
        => [call[0].permute(call.Node.Ints("perm") ?? [.. Enumerable.Range(0, call.Shape(0).Length).Reverse().Select(i => (long)i)])];

    private static Tensor[] Squeeze(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        HashSet<long> axes = [.. call.OptionalIntegers(1)?.Select(axis => call.Axis(axis, shape.Length))
            ?? Enumerable.Range(0, shape.Length).Where(i => shape[i] == 1).Select(i => (long)i)];
        if (axes.Any(axis => shape[axis] != 1)) throw new FormatException("an axis to be left out is longer than 1.");
        return [call[0].reshape([.. shape.Where((_, i) => !axes.Contains(i))])];
    }

    private static Tensor[] Unsqueeze(OperatorCall call)
    {
        long[] own = call.Shape(0), axes = call.Integers(1);
        int rank = own.Length + axes.Length;
        var shape = new List<long>(own);
        foreach (long axis in axes.Select(axis => call.Axis(axis, rank)).Order()) shape.Insert((int)axis, 1);
        return [call[0].reshape([.. shape])];
    }

    private static Tensor[] Expand(OperatorCall call)
    {
        long[] own = call.Shape(0), wanted = call.Integers(1);
        var shape = new long[Math.Max(own.Length, wanted.Length)];
        for (int i = 1; i <= shape.Length; i++)
        {
            long mine = i <= own.Length ? own[^i] : 1, theirs = i <= wanted.Length ? wanted[^i] : 1;
            shape[^i] = mine == 1 ? theirs : mine;
            if (theirs != 1 && theirs != shape[^i]) throw new FormatException($"{mine} cannot be spread to {theirs}.");
        }

        return [call[0].expand(shape)];
    }

    private static Tensor[] DepthToSpace(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        long block = call.Node.Int("blocksize"), channels = shape[1] / (block * block);
        Tensor x = call.Node.Text("mode", "DCR") == "CRD"
            ? call[0].reshape(shape[0], channels, block, block, shape[2], shape[3]).permute(0, 1, 4, 2, 5, 3)
            : call[0].reshape(shape[0], block, block, channels, shape[2], shape[3]).permute(0, 3, 4, 1, 5, 2);
        return [x.reshape(shape[0], channels, shape[2] * block, shape[3] * block)];
    }

    private static Tensor[] SpaceToDepth(OperatorCall call)
    {
        long[] shape = call.Shape(0);
        long block = call.Node.Int("blocksize"), height = shape[2] / block, width = shape[3] / block;
        return [call[0].reshape(shape[0], shape[1], height, block, width, block).permute(0, 3, 5, 1, 2, 4)
            .reshape(shape[0], shape[1] * block * block, height, width)];
    }

    private static Tensor[] ConstantOfShape(OperatorCall call)
    {
        long[] shape = call.Integers(0);
        Tensor value = call.Node.Tensor("value") is { } stored ? GraphTensors.Read(stored).reshape([]) : zeros([]);
        return [value.expand(shape).contiguous()];
    }

    private static Tensor[] Range(OperatorCall call)
    {
        float[] ends = [call.Floats(0)[0], call.Floats(1)[0], call.Floats(2)[0]];
        int count = Math.Max(0, (int)Math.Ceiling((ends[1] - ends[0]) / ends[2]));
        return [from_array(Enumerable.Range(0, count).Select(i => ends[0] + i * ends[2]).ToArray()).to_type(call[0].dtype)];
    }

    // Real numbers stay in the type that the network computes in.
    private static ScalarType Type(Onnx.Proto.TensorProto.Types.DataType type, OperatorCall call) => type switch
    {
        Onnx.Proto.TensorProto.Types.DataType.Float or Onnx.Proto.TensorProto.Types.DataType.Double
            or Onnx.Proto.TensorProto.Types.DataType.Float16 => call.Type,
        Onnx.Proto.TensorProto.Types.DataType.Int64 => ScalarType.Int64,
        Onnx.Proto.TensorProto.Types.DataType.Int32 => ScalarType.Int32,
        Onnx.Proto.TensorProto.Types.DataType.Bool => ScalarType.Bool,
        Onnx.Proto.TensorProto.Types.DataType.Uint8 => ScalarType.Byte,
        _ => throw new NotSupportedException($"{call.Node.Label} makes numbers of the type {type}, which is not supported."),
    };
}
