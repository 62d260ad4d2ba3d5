namespace TorchSharp;

// Gradients: of a tensor, of a graph, and whether a thread records one.
public static partial class torch
{
    public unsafe partial class Tensor
    {
        public bool requires_grad
        {
            get => Properties.RequiresGrad != 0;
            set
            {
                Native.Check(Native.shim_tensor_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor? grad
        {
            get
            {
                nint grad;
                Native.Check(Native.shim_tensor_grad(Handle, &grad));
                GC.KeepAlive(this);
                return grad == 0 ? null : new Tensor(grad);
            }
            set
            {
                Native.Check(Native.shim_tensor_set_grad(Handle, value?.Handle ?? 0));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        public void backward() => backward(null);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null)
            => autograd.backward([this], grad_tensors, retain_graph || create_graph, create_graph, inputs);

        public Tensor detach() => Ops.Call("detach", this);

        /// <summary>Another handle to the same tensor, the same node of the graph.</summary>
        public Tensor alias()
        {
            var alias = new Tensor(Native.Check(Native.shim_tensor_alias(Handle)));
            GC.KeepAlive(this);
            return alias;
        }
    }

    public static unsafe class autograd
    {
        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            nint[] of = Handles(tensors), grads = Handles(grad_tensors), leaves = Handles(inputs);
            Native.Check(Native.shim_backward(of, of.Length, grads, grads.Length, (retain_graph ?? create_graph) ? 1 : 0, create_graph ? 1 : 0, leaves, leaves.Length));
            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
        }

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
            => backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
            => backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);

        /// <exception cref="NotSupportedException">An unused input was allowed and there is one.</exception>
        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            nint[] of = Handles(outputs), by = Handles(inputs), grads = Handles(grad_outputs);
            var results = new nint[by.Length];
            fixed (nint* first = results)
                Native.Check(Native.shim_grad(of, of.Length, by, by.Length, grads, grads.Length, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, first));
            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            var gradients = Array.ConvertAll(results, result => result == 0 ? null : new Tensor(result));
            if (gradients.Contains(null)) throw Substitute.Lacks("gradients of inputs that are not used");
            return gradients!;
        }

        private static nint[] Handles(IList<Tensor>? tensors) => tensors is null ? [] : [.. tensors.Select(tensor => tensor.Handle)];
    }

    public static bool is_grad_enabled() => Native.shim_grad_enabled() != 0;

    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    /// <summary>Whether this thread records gradients, until it is disposed.</summary>
    private sealed class GradMode : IDisposable
    {
        private readonly int _before = Native.shim_grad_enabled();

        public GradMode(bool enabled) => Native.shim_set_grad_enabled(enabled ? 1 : 0);

        public void Dispose() => Native.shim_set_grad_enabled(_before);
    }
}
