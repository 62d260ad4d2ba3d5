namespace TorchSharp;

// Decompositions of matrices.
public static partial class torch
{
    public static class linalg
    {
        public enum QRMode
        {
            Reduced = 0, Complete = 1, R = 2
        }

        public static (Tensor, Tensor) eigh(Tensor input, char UPLO = 'L') => Ops.Pair("linalg_eigh", input, UPLO.ToString());

        public static (Tensor Q, Tensor R) qr(Tensor input, QRMode mode = QRMode.Reduced) => Ops.Pair("linalg_qr", input, mode switch
        {
            QRMode.Complete => "complete",
            QRMode.R => "r",
            _ => "reduced",
        });

        public static Tensor svdvals(Tensor input) => Ops.Call("linalg_svdvals", input);
    }
}
