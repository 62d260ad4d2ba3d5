namespace TorchSharp;

// Parts of a tensor by index, to read and to write. Numbers and ranges make views; tensors of indices or of truth values pick copies.
public static partial class torch
{
    public partial class Tensor
    {
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => Write(indices, value);
        }

        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => Ops.InPlace("index_put_", this, Argument.Indices(indices), value);
        }

        public Tensor this[params long[] indices]
        {
            get => index(Numbers(indices));
            set => Write(Numbers(indices), value);
        }

        public Tensor this[long i1]
        {
            get => index(Numbers(i1));
            set => Write(Numbers(i1), value);
        }

        public Tensor this[long i1, long i2]
        {
            get => index(Numbers(i1, i2));
            set => Write(Numbers(i1, i2), value);
        }

        public Tensor this[long i1, long i2, long i3]
        {
            get => index(Numbers(i1, i2, i3));
            set => Write(Numbers(i1, i2, i3), value);
        }

        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => index(Numbers(i1, i2, i3, i4));
            set => Write(Numbers(i1, i2, i3, i4), value);
        }

        public Tensor this[long i1, long i2, long i3, long i4, long i5]
        {
            get => index(Numbers(i1, i2, i3, i4, i5));
            set => Write(Numbers(i1, i2, i3, i4, i5), value);
        }

        public Tensor this[long i1, long i2, long i3, long i4, long i5, long i6]
        {
            get => index(Numbers(i1, i2, i3, i4, i5, i6));
            set => Write(Numbers(i1, i2, i3, i4, i5, i6), value);
        }

        public Tensor index(params Tensor[] indices) => Ops.Call("index.Tensor", this, Argument.Indices(indices));

        public Tensor index(params TensorIndex[] indices)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor view, Tensor?[] selections) = View(indices);
            Tensor result = selections.Length > 0 ? Ops.Call("index.Tensor", view, Argument.Indices(selections)) : view;
            return (ReferenceEquals(result, this) ? alias() : result).MoveToOuterDisposeScope();
        }

        private void Write(TensorIndex[] indices, Tensor value)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor view, Tensor?[] selections) = View(indices);

            // A value may have more dimensions than its place, where they are one long.
            while (value.dim() > view.dim() && value.shape[0] == 1 && selections.Length == 0) value = value.squeeze(0);
            if (selections.Length > 0) Ops.InPlace("index_put_", view, Argument.Indices(selections), value);
            else view.copy_(value);
        }

        /// <summary>What the numbers and ranges leave, and the tensors that pick from it, by dimension.</summary>
        private (Tensor View, Tensor?[] Selections) View(TensorIndex[] indices)
        {
            Tensor view = this;
            List<Tensor?> selections = [];
            int at = 0;
            for (int i = 0; i < indices.Length; i++)
            {
                TensorIndex index = indices[i];
                switch (index.Kind)
                {
                    case IndexKind.Number:
                        view = view.select(at, index.Start!.Value);
                        break;
                    case IndexKind.Range:
                        view = Ops.Call("slice.Tensor", view, at++, index.Start, index.Stop, index.Step);
                        break;
                    case IndexKind.NewDimension:
                        view = view.unsqueeze(at++);
                        break;
                    case IndexKind.Ellipsis:
                        at = (int)view.dim() - Named(indices.AsSpan(i + 1));
                        break;
                    default:
                        if (index.Selection!.dtype is ScalarType.Bool or ScalarType.Byte && index.Selection.dim() != 1) throw Substitute.Lacks("masks of several dimensions among other indices");
                        while (selections.Count < at) selections.Add(null);
                        selections.Add(index.Selection);
                        at++;
                        break;
                }
            }

            return (view, selections.ToArray());
        }

        /// <summary>How many of the tensor's dimensions the places name.</summary>
        private static int Named(ReadOnlySpan<TensorIndex> indices)
        {
            int named = 0;
            foreach (TensorIndex index in indices)
            {
                if (index.Kind is not (IndexKind.NewDimension or IndexKind.Ellipsis)) named++;
            }

            return named;
        }

        private static TensorIndex[] Numbers(params long[] indices) => Array.ConvertAll(indices, number => TensorIndex.Single(number));
    }
}
