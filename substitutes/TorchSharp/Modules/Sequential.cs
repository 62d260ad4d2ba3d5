using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp.Modules
{
    /// <summary>Modules one after another. What one gives is disposed once the next has read it.</summary>
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.IModule<Tensor, Tensor>> _modules = [];

        internal Sequential() : base("torch::nn::SequentialImpl") { }

        protected Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules) : this()
        {
            foreach ((string name, nn.Module<Tensor, Tensor> module) in modules) append(name, module);
        }

        protected Sequential(params nn.Module<Tensor, Tensor>[] modules) : this()
        {
            foreach (nn.Module<Tensor, Tensor> module in modules) append(module);
        }

        public int Count => _modules.Count;

        public nn.IModule<Tensor, Tensor> this[int index] => _modules[index];

        public Sequential this[(int? start, int? end) index] => throw Substitute.Lacks("parts of a Sequential");

        public Sequential this[Range index] => throw Substitute.Lacks("parts of a Sequential");

        public Sequential append(nn.IModule<Tensor, Tensor> module) => append(_modules.Count.ToString(CultureInfo.InvariantCulture), module);

        public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
        {
            register_module(name, module as nn.Module ?? throw Substitute.Lacks("modules that are no nn.Module"));
            _modules.Add(module);
            return this;
        }

        public override Tensor forward(Tensor tensor)
        {
            if (_modules.Count == 0) return tensor.alias();
            Tensor result = _modules[0].call(tensor);
            foreach (nn.IModule<Tensor, Tensor> module in _modules.Skip(1))
            {
                Tensor next = module.call(result);
                result.Dispose();
                result = next;
            }

            return result;
        }
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Sequential Sequential() => new();

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules)
                => Sequential((IEnumerable<(string name, Module<Tensor, Tensor> submodule)>)modules);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules)
            {
                var made = new Sequential();
                foreach ((string name, Module<Tensor, Tensor> module) in modules) made.append(name, module);
                return made;
            }

            public static Sequential Sequential(params Tuple<string, Module<Tensor, Tensor>>[] modules)
                => Sequential((IEnumerable<Tuple<string, Module<Tensor, Tensor>>>)modules);

            public static Sequential Sequential(IEnumerable<Tuple<string, Module<Tensor, Tensor>>> modules)
                => Sequential(modules.Select(module => (module.Item1, module.Item2)));

            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => Sequential((IEnumerable<Module<Tensor, Tensor>>)modules);

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules)
            {
                var made = new Sequential();
                foreach (Module<Tensor, Tensor> module in modules) made.append(module);
                return made;
            }
        }
    }
}
