using System.Collections;
using System.Reflection;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>Finds the tensors that a network holds, in whatever it is made of, on another device than "meta".</summary>
internal static class StrayTensors
{
    /// <summary>The paths of fields to such tensors. A <see cref="Constant"/> goes where it is asked for.</summary>
    public static IReadOnlyList<string> In(nn.Module network)
    {
        var found = new List<string>();
        Visit(network, network.GetType().Name, new HashSet<object>(ReferenceEqualityComparer.Instance), found);
        return found;
    }

    private static void Visit(object? value, string path, HashSet<object> seen, List<string> found)
    {
        if (value is null or string or Constant || value.GetType().IsPrimitive || !seen.Add(value)) return;
        if (value is Tensor tensor)
        {
            if (!tensor.IsInvalid && tensor.device.type != DeviceType.META) found.Add(path);
            return;
        }

        // TorchSharp's own collections do not all enumerate; their fields are looked through below.
        if (value is IEnumerable items && !Of(value.GetType(), nameof(TorchSharp)))
        {
            int index = 0;
            foreach (object? item in items) Visit(item, $"{path}[{index++}]", seen, found);
        }

        for (Type? type = value.GetType(); type is not null && Holds(type); type = type.BaseType)
        {
            foreach (FieldInfo field in type
                .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (!field.FieldType.IsPointer && !field.FieldType.IsPrimitive) Visit(field.GetValue(value), $"{path}.{field.Name}", seen,
                    found);
            }
        }
    }

    private static bool Holds(Type type) => Of(type, "Microsoft.ML.Distillation") || Of(type, nameof(TorchSharp));

    private static bool Of(Type type, string root) => type.Namespace?.StartsWith(root, StringComparison.Ordinal) == true;
}
