using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Numbers that C# and Golden/fill.py make alike: a hash of the index, from -1 to 1.</summary>
internal static class DeterministicValues
{
    public static Tensor Values(int seed, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        for (uint i = 0; i < values.Length; i++)
        {
            uint h = unchecked(i + (uint)seed * 0x9E3779B9);
            h = unchecked((h ^ (h >> 16)) * 0x85EBCA6B);
            h = unchecked((h ^ (h >> 13)) * 0xC2B2AE35);
            h ^= h >> 16;
            values[i] = (float)(h / 2147483648.0 - 1);
        }

        return tensor(values, shape);
    }

    /// <summary>Images, 0 to 1.</summary>
    public static Tensor Images(int seed, params long[] shape)
    {
        using DisposeScope scope = NewDisposeScope();
        return (Values(seed, shape) * 0.5 + 0.5).MoveToOuterDisposeScope();
    }

    /// <summary>Gives every parameter and buffer values, by its place in the sorted state dict; leaves the module in evaluation
    /// mode.</summary>
    public static void Fill(nn.Module module, double gain = 1)
    {
        using IDisposable noGradients = no_grad();
        var state = new SortedDictionary<string, Tensor>(module.state_dict(), StringComparer.Ordinal);
        int seed = 0;
        foreach ((string name, Tensor tensor) in state)
        {
            if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) continue;
            using DisposeScope scope = NewDisposeScope();
            Tensor drawn = Values(seed++, tensor.shape);
            if (name.EndsWith("running_var", StringComparison.Ordinal)) drawn = 1 + 0.5 * drawn;
            else if (tensor.dim() > 1) drawn *= gain * Math.Sqrt(6.0 * tensor.shape[0] / tensor.NumberOfElements);
            else if (name.EndsWith("weight", StringComparison.Ordinal)) drawn = 1 + 0.3 * drawn;
            else drawn = 0.2 * drawn;
            tensor.copy_(drawn);
        }

        module.eval();
    }
}
