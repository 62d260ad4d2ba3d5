using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Arithmetic, comparisons and sums; tensors are broadcast to one shape.</summary>
internal static class Arithmetic
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        One("Sqrt", x => x.sqrt());
        One("Exp", x => x.exp());
        One("Log", x => x.log());
        One("Neg", x => x.neg());
        One("Abs", x => x.abs());
        One("Reciprocal", x => x.reciprocal());
        One("Sin", x => x.sin());
        One("Cos", x => x.cos());
        One("Floor", x => x.floor());
        One("Ceil", x => x.ceil());
        One("Round", x => x.round());
        One("Sign", x => x.sign());
        One("Not", x => x.logical_not());

        Two("Add", (a, b) => a.Plus(b));
        Two("Sub", (a, b) => a.sub(b));
        Two("Mul", (a, b) => a.mul(b));
        Two("Div", (a, b) => a.is_floating_point() ? a.div(b) : a.div(b, RoundingMode.trunc));
        Two("Pow", (a, b) => a.pow(b).As(a.dtype));
        Two("Equal", (a, b) => a.eq(b));
        Two("Greater", (a, b) => a.gt(b));
        Two("Less", (a, b) => a.lt(b));
        Two("GreaterOrEqual", (a, b) => a.ge(b));
        Two("LessOrEqual", (a, b) => a.le(b));
        Two("And", (a, b) => a.logical_and(b));
        Two("Or", (a, b) => a.logical_or(b));
        table["Mod"] = call => [call.Node.Flag("fmod") ? call[0].fmod(call[1]) : call[0].remainder(call[1])];
        table["Where"] = call => [where(call[0], call[1], call[2])];

        Many("Sum", (a, b) => a.Plus(b));
        Many("Max", (a, b) => a.maximum(b));
        Many("Min", (a, b) => a.minimum(b));
        table["Mean"] = Mean;

        Reduce("ReduceSum", (x, axes, keep) => x.sum(axes, keep));
        Reduce("ReduceMean", (x, axes, keep) => x.mean(axes, keep));
        Reduce("ReduceMax", (x, axes, keep) => x.amax(axes, keep));
        Reduce("ReduceMin", (x, axes, keep) => x.amin(axes, keep));
        Reduce("ReduceL1", (x, axes, keep) => x.abs().sum(axes, keep));
        Reduce("ReduceL2", (x, axes, keep) => x.square().sum(axes, keep).sqrt());
        Reduce("ReduceSumSquare", (x, axes, keep) => x.square().sum(axes, keep));
        Reduce("ReduceProd", Product);

        void One(string op, Func<Tensor, Tensor> function) => table[op] = call => [function(call[0])];

        void Two(string op, Func<Tensor, Tensor, Tensor> function) => table[op] = call => [function(call[0], call[1])];

        void Many(string op, Func<Tensor, Tensor, Tensor> function) => table[op] = call => [Together(call, function)];

        void Reduce(string op, Func<Tensor, long[], bool, Tensor> function) => table[op] = call => [Reduced(call, function)];
    }

    private static Tensor Together(OperatorCall call, Func<Tensor, Tensor, Tensor> function)
    {
        if (call.Count == 1) return call[0].alias();
        Tensor result = call[0];
        for (int i = 1; i < call.Count; i++) result = function(result, call[i]);
        return result;
    }

    private static Tensor[] Mean(OperatorCall call)
    {
        using TorchSharp.Scalar count = call.Count;
        return [Together(call, (a, b) => a.Plus(b)).div(count)];
    }

    private static Tensor Reduced(OperatorCall call, Func<Tensor, long[], bool, Tensor> function)
    {
        Tensor x = call[0];
        int rank = x.shape.Length;
        long[] axes = call.OptionalIntegers(1) ?? [];
        if (axes.Length == 0)
        {
            if (call.Node.Flag("noop_with_empty_axes")) return x.alias();
            axes = [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        }

        axes = [.. axes.Select(axis => call.Axis(axis, rank))];
        return axes.Length == 0 ? x.alias() : function(x, axes, call.Node.Int("keepdims", 1) != 0);
    }

    private static Tensor Product(Tensor x, long[] axes, bool keep)
    {
        foreach (long axis in axes.OrderDescending()) x = x.prod(axis, keep);
        return x;
    }
}
