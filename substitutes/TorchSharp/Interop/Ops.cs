using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>
/// Calls libtorch's operators by the names of their schemas ("add.Tensor" is aten::add.Tensor). Arguments that are not given take the
/// schema's defaults. Errors are <see cref="ExternalException"/> with libtorch's message.
/// </summary>
internal static unsafe class Ops
{
    private const int FewPlaces = 64;
    private static readonly ConcurrentDictionary<string, nint> Found = new(StringComparer.Ordinal);

    /// <summary>The operator's one tensor.</summary>
    public static Tensor Call(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result = default;
        Invoke(name, arguments, &result, 1);
        return ToTensor(result);
    }

    /// <summary>The operator's first two tensors.</summary>
    public static (Tensor, Tensor) Pair(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue* results = stackalloc NativeValue[2];
        Invoke(name, arguments, results, 2);
        return (ToTensor(results[0]), ToTensor(results[1]));
    }

    /// <summary>The operator's list of tensors.</summary>
    public static Tensor[] List(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result = default;
        Invoke(name, arguments, &result, 1);
        var handles = new ReadOnlySpan<nint>((void*)(nint)result.Bits, result.Count).ToArray();
        Native.shim_list_free((nint)result.Bits);
        return Array.ConvertAll(handles, handle => new Tensor(handle));
    }

    /// <summary>The operator's number or truth value, as it lies in a scalar.</summary>
    public static Scalar Number(string name, params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result = default;
        Invoke(name, arguments, &result, 1);
        return new Scalar(result.Kind, result.Bits);
    }

    /// <summary>Runs an operator that changes its first argument, which is given back.</summary>
    public static Tensor InPlace(string name, Tensor changed, params ReadOnlySpan<Argument> others)
    {
        Argument[] arguments = [changed, .. others];
        Invoke(name, arguments, null, 0);
        return changed;
    }

    private static Tensor ToTensor(NativeValue result) => new((nint)result.Bits);

    private static void Invoke(string name, ReadOnlySpan<Argument> arguments, NativeValue* results, int count)
    {
        if (!Found.TryGetValue(name, out nint op)) op = Found.GetOrAdd(name, Find);
        int room = 0;
        foreach (ref readonly Argument argument in arguments) room += argument.Places;
        NativeValue* values = stackalloc NativeValue[arguments.Length];
        Span<long> memory = room <= FewPlaces ? stackalloc long[FewPlaces] : new long[room];
        fixed (long* first = memory)
        {
            long* next = first;
            for (int i = 0; i < arguments.Length; i++)
            {
                values[i] = arguments[i].Write(next);
                next += arguments[i].Places;
            }

            Native.Check(Native.shim_call(op, values, arguments.Length, results, count));
        }

        foreach (ref readonly Argument argument in arguments) GC.KeepAlive(argument.Reference);
    }

    private static nint Find(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return Native.Check(dot < 0 ? Native.shim_find("aten::" + name, "") : Native.shim_find("aten::" + name[..dot], name[(dot + 1)..]));
    }
}
