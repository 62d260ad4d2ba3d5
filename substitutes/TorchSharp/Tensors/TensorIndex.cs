namespace TorchSharp;

public static partial class torch
{
    /// <summary>One place of an index: a number, a range, a tensor, all of the dimension, a new one, or all that is not named.</summary>
    public struct TensorIndex
    {
        public static TensorIndex Colon = Slice();
        public static TensorIndex Ellipsis = new() { Kind = IndexKind.Ellipsis };
        public static TensorIndex None = new() { Kind = IndexKind.NewDimension };
        public static TensorIndex Null = new() { Kind = IndexKind.NewDimension };

        internal IndexKind Kind { get; private set; }

        /// <summary>The number, or where the range begins.</summary>
        internal long? Start { get; private set; }

        internal long? Stop { get; private set; }

        internal long Step { get; private set; }

        internal Tensor? Selection { get; private set; }

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null)
            => new() { Kind = IndexKind.Range, Start = start, Stop = stop, Step = step ?? 1 };

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.Item1, range.Item2);

        public static TensorIndex Slice(Range range)
            => Slice(Position(range.Start), range.End.Equals(Index.End) ? null : Position(range.End));

        public static TensorIndex Single(long? index) => index is long given
            ? new() { Kind = IndexKind.Number, Start = given }
            : throw Substitute.Lacks("an index of no number");

        public static TensorIndex Tensor(Tensor tensor) => new() { Kind = IndexKind.Tensor, Selection = tensor };

        public static TensorIndex Bool(bool value) => throw Substitute.Lacks("truth values as indices");

        public static implicit operator TensorIndex(long value) => Single(value);
        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);
        public static implicit operator TensorIndex(Range range) => Slice(range);
        public static implicit operator TensorIndex(Index index) => Single(Position(index));

        public static implicit operator Tensor(TensorIndex value) => throw Substitute.Lacks("indices as tensors");

        private static long Position(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }

    internal enum IndexKind
    {
        Number, Range, Tensor, NewDimension, Ellipsis
    }
}
