using System.Globalization;
using System.Runtime.CompilerServices;

namespace TorchSharp;

// The tensor itself: its handle and life, and what it says of itself. The operations are in the files beside this one.
public static partial class torch
{
    public unsafe partial class Tensor : IDisposable
    {
        private nint _handle;

        /// <summary>Takes over a handle; the tensor belongs to the innermost scope.</summary>
        internal Tensor(nint handle)
        {
            _handle = handle;
            OwningDisposeScope = DisposeScopeManager.OfThread.Register(this);
        }

        /// <summary>Takes over another tensor's handle and place; that tensor is invalid from then on.</summary>
        internal Tensor(Tensor other)
        {
            _handle = other.Handle;
            OwningDisposeScope = other.OwningDisposeScope;
            OwningDisposeScope?.Replace(other, this);
            other._handle = 0;
            other.OwningDisposeScope = null;
            GC.SuppressFinalize(other);
        }

        ~Tensor() => Dispose(false);

        internal DisposeScope? OwningDisposeScope { get; set; }

        public IntPtr Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        public bool IsInvalid => _handle == 0;

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            nint handle = Interlocked.Exchange(ref _handle, 0);
            if (handle == 0) return;
            Native.shim_tensor_free(handle);
            if (!disposing) return;
            if (OwningDisposeScope is DisposeScope scope) scope.MarkAsDisposed(this);
            else DisposeScopeManager.OfThread.Tensors.DisposedOutsideScopeCount++;
        }

        public Tensor MoveToOuterDisposeScope() => OwningDisposeScope is DisposeScope scope ? scope.Moved(this, scope.Outer) : this;

        public Tensor DetachFromDisposeScope() => OwningDisposeScope?.Moved(this, null) ?? this;

        public Tensor MoveToOtherDisposeScope(DisposeScope other)
        {
            if (OwningDisposeScope is DisposeScope scope) return scope.Moved(this, other);
            other.Attach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => other.OwningDisposeScope is DisposeScope scope
            ? MoveToOtherDisposeScope(scope) : DetachFromDisposeScope();

        private TensorProperties Properties
        {
            get
            {
                TensorProperties properties;
                Native.Check(Native.shim_tensor_properties(Handle, &properties));
                GC.KeepAlive(this);
                return properties;
            }
        }

        public ScalarType dtype => (ScalarType)Properties.Type;

        public Device device => Device.Of(Properties.Device);

        public DeviceType device_type => device.type;

        public long dim() => Properties.Dimensions;

        public long ndim => dim();

        public long Dimensions => dim();

        public long numel() => Properties.Elements;

        public long NumberOfElements => numel();

        public long element_size() => Properties.ElementSize;

        public long ElementSize => element_size();

        public bool is_leaf => Properties.IsLeaf != 0;

        public bool is_contiguous() => Properties.IsContiguous != 0;

        public bool is_floating_point() => dtype is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;

        public bool is_sparse => Properties.IsSparse != 0;

        public bool is_cuda => device_type == DeviceType.CUDA;

        public long[] shape
        {
            get
            {
                var sizes = new long[dim()];
                fixed (long* first = sizes) Native.Check(Native.shim_tensor_shape(Handle, first, null));
                GC.KeepAlive(this);
                return sizes;
            }
        }

        public long[] stride()
        {
            var strides = new long[dim()];
            fixed (long* first = strides) Native.Check(Native.shim_tensor_shape(Handle, null, first));
            GC.KeepAlive(this);
            return strides;
        }

        public long stride(int dim)
        {
            long[] strides = stride();
            int at = dim < 0 ? dim + strides.Length : dim;
            if (at < 0 || at >= strides.Length) throw new ArgumentException($"The tensor has {strides.Length} dimensions, none with the number {dim}.", nameof(dim));
            return strides[at];
        }

        public override string ToString()
            => IsInvalid ? "Tensor invalid" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        public string ToString(bool disamb, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null)
            => throw Substitute.Lacks("printing of values");

        public string ToString(TensorStringStyle style, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null)
            => throw Substitute.Lacks("printing of values");

        /// <summary>The same shape and values.</summary>
        public bool Equals(Tensor? target)
            => target is not null && shape.AsSpan().SequenceEqual(target.shape) && Ops.Number("equal", this, dtype == target.dtype ? target : target.to_type(dtype)).Bits != 0;

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
    }
}
