namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>A file that ends with one character, a hundred million times over; it is in no memory.</summary>
internal sealed class LongLine(byte[] start, byte filler, long length) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => start.Length + length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_position < start.Length)
        {
            int taken = Math.Min(buffer.Length, start.Length - (int)_position);
            start.AsSpan((int)_position, taken).CopyTo(buffer);
            _position += taken;
            return taken;
        }

        int count = (int)Math.Min(buffer.Length, Length - _position);
        buffer[..count].Fill(filler);
        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
