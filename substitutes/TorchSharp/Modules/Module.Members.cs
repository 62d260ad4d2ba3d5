using TorchSharp.Modules;

namespace TorchSharp;

// What a module has, by name.
public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            public virtual IEnumerable<(string name, Module module)> named_children() => _parts.Select(part => (part.Key, part.Value));

            public virtual IEnumerable<Module> children() => named_children().Select(child => child.module);

            /// <summary>The parts, then of each part in turn what it has itself; not the module itself.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules() => named_children().Concat(
                named_children().SelectMany(child => child.module.named_modules().Select(inner => ($"{child.name}.{inner.name}", inner.module))));

            public virtual IEnumerable<Module> modules() => named_modules().Select(one => one.module);

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
                => Distinct(_ownParameters.Select(own => (own.Key, own.Value)), part => part.named_parameters(), recurse);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
                => Distinct(_ownBuffers.Where(own => own.Value.Persistent).Select(own => (own.Key, own.Value.Tensor)), part => part.named_buffers(), recurse);

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(one => one.parameter);

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true)
                => named_buffers(recurse, include_nonpersistent).Select(one => one.buffer);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            public virtual Parameter? get_parameter(string target)
                => OwnParameter(target) ?? (Part(target) is (Module part, string rest) ? part.get_parameter(rest) : null);

            public virtual Tensor? get_buffer(string target)
                => OwnBuffer(target) ?? (Part(target) is (Module part, string rest) ? part.get_buffer(rest) : null);

            /// <summary>The part that a dotted name begins with, and the rest of the name.</summary>
            private (Module Part, string Remainder)? Part(string target)
            {
                int dot = target.IndexOf('.', StringComparison.Ordinal);
                return dot > 0 && _parts.TryGetValue(target[..dot], out Module? part) ? (part, target[(dot + 1)..]) : null;
            }

            /// <summary>The own ones, then those of the parts, each tensor once.</summary>
            private IEnumerable<(string, T)> Distinct<T>(IEnumerable<(string, T)> own, Func<Module, IEnumerable<(string Name, T Tensor)>> ofPart, bool recurse) where T : Tensor
            {
                var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
                foreach ((string name, T tensor) in own)
                {
                    if (!tensor.IsInvalid && seen.Add(tensor)) yield return (name, tensor);
                }

                if (!recurse) yield break;
                foreach ((string part, Module module) in _parts)
                {
                    foreach ((string name, T tensor) in ofPart(module))
                    {
                        if (seen.Add(tensor)) yield return ($"{part}.{name}", tensor);
                    }
                }
            }
        }
    }
}
