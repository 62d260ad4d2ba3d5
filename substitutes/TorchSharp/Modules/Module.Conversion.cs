using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

// Modules to other devices and data types. Only floating-point tensors change their type.
public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>Puts converted tensors in the place of those that differ, which are disposed; fields that held those hold the new ones.</summary>
            internal void Convert(ScalarType? type, Device? device, bool nonBlocking)
            {
                using IDisposable quiet = no_grad();
                foreach (Module part in _parts.Values) part.Convert(type, device, nonBlocking);
                foreach ((string name, Parameter parameter) in _ownParameters.ToArray())
                {
                    if (Converted(parameter, type, device, nonBlocking) is not Tensor converted) continue;
                    var made = new Parameter(converted, parameter.requires_grad);
                    using (Tensor? grad = parameter.grad)
                    using (Tensor? moved = grad is null ? null : Converted(grad, type, device, nonBlocking))
                    {
                        if (grad is not null) made.grad = moved ?? grad;
                    }

                    SetParameter(name, made);
                    Replace(parameter, made);
                }

                foreach ((string name, (Tensor buffer, bool persistent)) in _ownBuffers.ToArray())
                {
                    if (!persistent || Converted(buffer, type, device, nonBlocking) is not Tensor converted) continue;
                    SetBuffer(name, converted);
                    Replace(buffer, converted);
                }
            }

            private static Tensor? Converted(Tensor tensor, ScalarType? type, Device? device, bool nonBlocking)
            {
                if (tensor.IsInvalid) return null;
                ScalarType wanted = type is ScalarType given && tensor.is_floating_point() ? given : tensor.dtype;
                Device own = tensor.device;
                bool stays = device is null || (device.type == own.type && (device.index < 0 || device.index == own.index));
                if (stays && wanted == tensor.dtype) return null;
                return tensor.to(wanted, stays ? own : device!, non_blocking: nonBlocking);
            }

            private void Replace(Tensor old, Tensor by)
            {
                for (Type? type = GetType(); type is not null && type != typeof(Module); type = type.BaseType)
                {
                    foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    {
                        if (typeof(Tensor).IsAssignableFrom(field.FieldType) && ReferenceEquals(field.GetValue(this), old)) field.SetValue(this, by);
                    }
                }

                old.Dispose();
            }
        }
    }
}
