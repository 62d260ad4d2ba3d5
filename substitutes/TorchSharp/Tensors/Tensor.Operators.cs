using System.Numerics;

namespace TorchSharp;

// The operators, and what converts to a tensor.
public static partial class torch
{
    public partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => left.add(right);
        public static Tensor operator +(Tensor left, Scalar right) => left.add(right);
        public static Tensor operator +(Scalar left, Tensor right) => right.add(left);
        public static Tensor operator +(Tensor left, int right) => left + (Scalar)right;
        public static Tensor operator +(int left, Tensor right) => (Scalar)left + right;
        public static Tensor operator +(Tensor left, long right) => left + (Scalar)right;
        public static Tensor operator +(long left, Tensor right) => (Scalar)left + right;
        public static Tensor operator +(Tensor left, float right) => left + (Scalar)right;
        public static Tensor operator +(float left, Tensor right) => (Scalar)left + right;
        public static Tensor operator +(Tensor left, double right) => left + (Scalar)right;
        public static Tensor operator +(double left, Tensor right) => (Scalar)left + right;

        public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);
        public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);
        public static Tensor operator -(Scalar left, Tensor right) => right.neg().add(left);
        public static Tensor operator -(Tensor left, int right) => left - (Scalar)right;
        public static Tensor operator -(int left, Tensor right) => (Scalar)left - right;
        public static Tensor operator -(Tensor left, long right) => left - (Scalar)right;
        public static Tensor operator -(long left, Tensor right) => (Scalar)left - right;
        public static Tensor operator -(Tensor left, float right) => left - (Scalar)right;
        public static Tensor operator -(float left, Tensor right) => (Scalar)left - right;
        public static Tensor operator -(Tensor left, double right) => left - (Scalar)right;
        public static Tensor operator -(double left, Tensor right) => (Scalar)left - right;

        public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);
        public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);
        public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);
        public static Tensor operator *(Tensor left, int right) => left * (Scalar)right;
        public static Tensor operator *(int left, Tensor right) => (Scalar)left * right;
        public static Tensor operator *(Tensor left, long right) => left * (Scalar)right;
        public static Tensor operator *(long left, Tensor right) => (Scalar)left * right;
        public static Tensor operator *(Tensor left, float right) => left * (Scalar)right;
        public static Tensor operator *(float left, Tensor right) => (Scalar)left * right;
        public static Tensor operator *(Tensor left, double right) => left * (Scalar)right;
        public static Tensor operator *(double left, Tensor right) => (Scalar)left * right;

        public static Tensor operator /(Tensor left, Tensor right) => left.div(right);
        public static Tensor operator /(Tensor left, Scalar right) => left.div(right);
        public static Tensor operator /(Scalar left, Tensor right) => right.reciprocal().mul(left);
        public static Tensor operator /(Tensor left, int right) => left / (Scalar)right;
        public static Tensor operator /(int left, Tensor right) => (Scalar)left / right;
        public static Tensor operator /(Tensor left, long right) => left / (Scalar)right;
        public static Tensor operator /(long left, Tensor right) => (Scalar)left / right;
        public static Tensor operator /(Tensor left, float right) => left / (Scalar)right;
        public static Tensor operator /(float left, Tensor right) => (Scalar)left / right;
        public static Tensor operator /(Tensor left, double right) => left / (Scalar)right;
        public static Tensor operator /(double left, Tensor right) => (Scalar)left / right;

        public static Tensor operator -(Tensor tensor) => tensor.neg();

        public static implicit operator Tensor(byte value) => tensor(value);
        public static implicit operator Tensor(byte[] value) => tensor(value);
        public static implicit operator Tensor(sbyte value) => tensor(value);
        public static implicit operator Tensor(sbyte[] value) => tensor(value);
        public static implicit operator Tensor(short value) => tensor(value);
        public static implicit operator Tensor(short[] value) => tensor(value);
        public static implicit operator Tensor(int value) => tensor(value);
        public static implicit operator Tensor(int[] value) => tensor(value);
        public static implicit operator Tensor(long value) => tensor(value);
        public static implicit operator Tensor(long[] value) => tensor(value);
        public static implicit operator Tensor(float value) => tensor(value);
        public static implicit operator Tensor(float[] value) => tensor(value);
        public static implicit operator Tensor(double value) => tensor(value);
        public static implicit operator Tensor(double[] value) => tensor(value);
        public static implicit operator Tensor(bool value) => tensor(value);
        public static implicit operator Tensor(bool[] value) => tensor(value);
        public static implicit operator Tensor((float, float) value) => throw Substitute.Lacks("complex numbers");
        public static implicit operator Tensor((float, float)[] value) => throw Substitute.Lacks("complex numbers");
        public static implicit operator Tensor(Complex value) => throw Substitute.Lacks("complex numbers");
        public static implicit operator Tensor(Complex[] value) => throw Substitute.Lacks("complex numbers");
        public static implicit operator Tensor(Scalar scalar) => FromScalar(scalar);
    }
}
