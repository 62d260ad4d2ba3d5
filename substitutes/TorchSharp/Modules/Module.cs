using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// A part of a network: its parameters, buffers and parts by name. A tensor that a dispose scope has freed is listed no more, and
        /// buffers that are not persistent are found by name only, as in the real package.
        /// </summary>
        public partial class Module : IDisposable
        {
            private readonly string _name;
            private readonly OrderedDictionary<string, Parameter> _ownParameters = new(StringComparer.Ordinal);
            private readonly OrderedDictionary<string, (Tensor Tensor, bool Persistent)> _ownBuffers = new(StringComparer.Ordinal);
            private readonly OrderedDictionary<string, Module> _parts = new(StringComparer.Ordinal);
            private bool _registered;

            protected Module(string name) => _name = name;

            public virtual bool training { get; private set; } = true;

            public virtual string GetName() => _name;

            public virtual void train(bool train = true)
            {
                training = train;
                foreach (Module part in _parts.Values) part.train(train);
            }

            public virtual void eval() => train(false);

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (Parameter parameter in parameters())
                {
                    if (set_to_none)
                    {
                        parameter.grad = null;
                        continue;
                    }

                    using Tensor? grad = parameter.grad;
                    if (grad is not null) Ops.InPlace("zero_", grad);
                }
            }

            public virtual Module apply(Action<Module> fn)
            {
                foreach (Module part in _parts.Values) part.apply(fn);
                fn(this);
                return this;
            }

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null) return;
                if (name.Contains('.', StringComparison.Ordinal)) throw new ArgumentException($"module name can't contain \".\", got: {name}");
                if (name.Length == 0) throw new ArgumentException("module name can't be empty string \"\"");
                if (_parts.ContainsKey(name)) throw new InvalidOperationException($"Sub-module {name} is already registered.");
                submodule.RegisterComponents();
                _parts.Add(name, submodule);
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public virtual void register_parameter(string name, Parameter param)
            {
                if (param is null) throw new ArgumentNullException(nameof(param), "A null tensor cannot be registered as a parameter.");
                if (!_ownParameters.TryAdd(name, param)) throw new InvalidOperationException($"Parameter {name} is already registered.");
            }

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                if (tensor is null) throw new ArgumentNullException(nameof(tensor), "A null tensor cannot be registered as a buffer.");
                if (!_ownBuffers.TryAdd(name, (tensor, persistent))) throw new InvalidOperationException($"Tensor {name} is already registered.");
            }

            /// <summary>Registers what the type's fields hold, by the fields' names.</summary>
            protected virtual void RegisterComponents()
            {
                if (_registered) return;
                _registered = true;
                foreach (FieldInfo field in GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
                {
                    string name = field.Name;
                    if (_parts.ContainsKey(name) || _ownParameters.ContainsKey(name) || _ownBuffers.ContainsKey(name)) continue;
                    switch (field.GetValue(this))
                    {
                        case Module part: register_module(name, part); break;
                        case Parameter parameter: register_parameter(name, parameter); break;
                        case Tensor tensor: register_buffer(name, tensor); break;
                    }
                }
            }

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing) return;
                foreach (Parameter parameter in _ownParameters.Values) parameter.Dispose();
                foreach ((Tensor tensor, bool persistent) in _ownBuffers.Values)
                {
                    if (persistent) tensor.Dispose();
                }

                foreach (Module part in _parts.Values) part.Dispose();
            }

            /// <summary>What lies under a name, null where nothing does.</summary>
            private protected Parameter? OwnParameter(string name) => _ownParameters.GetValueOrDefault(name);

            private protected Tensor? OwnBuffer(string name) => _ownBuffers.GetValueOrDefault(name).Tensor;

            /// <summary>Lets a name stand for another parameter; it leaves the dispose scopes. The one before is not disposed.</summary>
            private protected void SetParameter(string name, Parameter? parameter)
            {
                parameter?.DetachFromDisposeScope();
                if (parameter is null) _ownParameters.Remove(name);
                else _ownParameters[name] = parameter;
            }

            private protected void SetBuffer(string name, Tensor? tensor)
            {
                tensor?.DetachFromDisposeScope();
                if (tensor is null) _ownBuffers.Remove(name);
                else _ownBuffers[name] = (tensor, true);
            }
        }
    }
}
