using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using static Microsoft.ML.Distillation.Detectors.Weights.PickleOp;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// Reads a pickle, Python's format for objects: a program for a small stack machine. This one knows numbers, texts, bytes,
/// lists, tuples (<c>object?[]</c>), dictionaries, and whatever the vocabulary gives; every other instruction is refused.
/// </summary>
internal ref struct PickleReader
{
    private static readonly object MarkObject = new();

    /// <summary>A checkpoint needs some forty for a tensor; a file of many more is made to fill the memory.</summary>
    private const int MostInstructions = 1_000_000;

    /// <summary>Letters of a key. A text can stand as a key again and again, and each time it is gone through.</summary>
    public const int LongestKey = 4096;

    private readonly IPickleVocabulary _vocabulary;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private ReadOnlySpan<byte> _rest;

    private PickleReader(ReadOnlySpan<byte> pickle, IPickleVocabulary vocabulary)
    {
        _rest = pickle;
        _vocabulary = vocabulary;
    }

    /// <summary>The object that a pickle holds.</summary>
    /// <exception cref="FormatException">The pickle is damaged, or asks for something that is not plain data.</exception>
    public static object? Read(ReadOnlySpan<byte> pickle, IPickleVocabulary vocabulary) => Read(pickle, vocabulary, out _);

    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, IPickleVocabulary)"/>
    /// <param name="pickle">The pickle, and perhaps more behind it.</param>
    /// <param name="length">The bytes of the pickle.</param>
    public static object? Read(ReadOnlySpan<byte> pickle, IPickleVocabulary vocabulary, out int length)
    {
        var reader = new PickleReader(pickle, vocabulary);
        for (int i = 0; i < MostInstructions; i++)
        {
            byte op = reader.Take(1)[0];
            if (op == (byte)Stop)
            {
                length = pickle.Length - reader._rest.Length;
                return reader.Pop();
            }

            reader.Step((PickleOp)op);
        }

        throw new FormatException(FormattableString
            .Invariant($"the pickle has more than {MostInstructions} instructions, which no checkpoint of tensors needs."));
    }

    private void Step(PickleOp op)
    {
        switch (op)
        {
            case Proto: Take(1); break;
            case Frame: Take(8); break;
            case Mark: _stack.Add(MarkObject); break;
            case PickleOp.Pop: Pop(); break;
            case PickleOp.PopMark: PopMark(); break;

            case None: _stack.Add(null); break;
            case NewTrue: _stack.Add(true); break;
            case NewFalse: _stack.Add(false); break;
            case BinInt: _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case BinInt1: _stack.Add((long)Take(1)[0]); break;
            case BinInt2: _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case Long1: _stack.Add(Whole(Take(Take(1)[0]))); break;
            case BinFloat: _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;

            case ShortBinString: _stack.Add(Encoding.UTF8.GetString(Take(Take(1)[0]))); break;
            case BinString: _stack.Add(Encoding.UTF8.GetString(Take(Length4()))); break;
            case ShortBinUnicode: _stack.Add(Encoding.UTF8.GetString(Take(Take(1)[0]))); break;
            case BinUnicode: _stack.Add(Encoding.UTF8.GetString(Take(Length4()))); break;
            case BinUnicode8: _stack.Add(Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadUInt64LittleEndian(Take(8))))); break;
            case ShortBinBytes: _stack.Add(Take(Take(1)[0]).ToArray()); break;
            case BinBytes: _stack.Add(Take(Length4()).ToArray()); break;

            case EmptyList: _stack.Add(new List<object?>()); break;
            case Append: AddTo([Pop()]); break;
            case Appends: AddTo(PopMark()); break;
            case EmptyTuple: _stack.Add(Array.Empty<object?>()); break;
            case PickleOp.Tuple: _stack.Add(PopMark()); break;
            case Tuple1: _stack.Add(PopMany(1)); break;
            case Tuple2: _stack.Add(PopMany(2)); break;
            case Tuple3: _stack.Add(PopMany(3)); break;
            case EmptyDict: _stack.Add(new Dictionary<object, object?>()); break;
            case SetItem: SetIn(PopMany(2)); break;
            case SetItems: SetIn(PopMark()); break;

            case Global: _stack.Add(_vocabulary.Find(Line(), Line())); break;
            case StackGlobal:
                object?[] path = PopMany(2);
                _stack.Add(_vocabulary.Find(As<string>(path[0]), As<string>(path[1])));
                break;
            case Reduce:
                object?[] call = PopMany(2);
                _stack.Add(_vocabulary.Call(As<object>(call[0]), As<object?[]>(call[1])));
                break;
            case Build:
                // PyTorch gives its dictionaries an attribute, the versions of the modules, and gave its parameters whether they
                // learn; nobody here reads either.
                Pop();
                if (!_vocabulary.MayHaveAttributes(As<object>(Peek())))
                    throw new FormatException("the pickle gives attributes to what has none.");
                break;
            case BinPersId: _stack.Add(_vocabulary.Refer(Pop())); break;

            case BinPut: _memo[Take(1)[0]] = Peek(); break;
            case LongBinPut: _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case Memoize: _memo[(uint)_memo.Count] = Peek(); break;
            case BinGet: Recall(Take(1)[0]); break;
            case LongBinGet: Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;

            default:
                throw new FormatException(FormattableString
                .Invariant($"the pickle has the instruction 0x{(byte)op:x2}, which no checkpoint of tensors needs."));
        }
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length) throw new FormatException("the pickle ends too early.");
        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private uint Length4() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private string Line()
    {
        int end = _rest.IndexOf((byte)'\n');
        if (end < 0) throw new FormatException("the pickle ends too early.");
        string line = Encoding.UTF8.GetString(Take((ulong)end));
        Take(1);
        return line;
    }

    private static object Whole(ReadOnlySpan<byte> littleEndian)
    {
        var value = new BigInteger(littleEndian);
        // Without the cast to object both would be a BigInteger, which nobody takes for an offset or a size.
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private void Recall(uint index)
        => _stack.Add(_memo.TryGetValue(index, out object? value) ? value
            : throw new FormatException("the pickle refers to what it does not hold."));

    private readonly object? Peek() => _stack.Count > 0 ? _stack[^1] : throw new FormatException("the pickle takes more than it holds.");

    private readonly object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private readonly object?[] PopMany(int count)
    {
        if (_stack.Count < count) throw new FormatException("the pickle takes more than it holds.");
        object?[] values = [.. _stack.GetRange(_stack.Count - count, count)];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private readonly object?[] PopMark()
    {
        int mark = _stack.FindLastIndex(o => ReferenceEquals(o, MarkObject));
        if (mark < 0) throw new FormatException("the pickle takes more than it holds.");
        object?[] values = PopMany(_stack.Count - mark - 1);
        Pop();
        return values;
    }

    private readonly void AddTo(object?[] values) => As<List<object?>>(Peek()).AddRange(values);

    private readonly void SetIn(object?[] pairs)
    {
        if (pairs.Length % 2 != 0) throw new FormatException("the pickle has a key without a value.");
        Dictionary<object, object?> target = As<Dictionary<object, object?>>(Peek());
        for (int i = 0; i < pairs.Length; i += 2)
        {
            if (pairs[i] is string { Length: > LongestKey })
                throw new FormatException(FormattableString.Invariant($"the pickle has a key of more than {LongestKey} letters."));
            target[As<object>(pairs[i])] = pairs[i + 1];
        }
    }

    private static T As<T>(object? value) where T : class
        => value as T ?? throw new FormatException($"the pickle has {value?.GetType().Name ?? "nothing"} where {typeof(T).Name} belongs.");
}

/// <summary>The instructions of Python's pickle format (protocols 2 to 5) that <see cref="PickleReader"/> follows.</summary>
internal enum PickleOp : byte
{
    Mark = (byte)'(',
    Stop = (byte)'.',
    Pop = (byte)'0',
    PopMark = (byte)'1',
    BinInt = (byte)'J',
    BinInt1 = (byte)'K',
    BinInt2 = (byte)'M',
    Long1 = 0x8a,
    BinFloat = (byte)'G',
    None = (byte)'N',
    NewTrue = 0x88,
    NewFalse = 0x89,
    ShortBinString = (byte)'U',
    BinString = (byte)'T',
    BinUnicode = (byte)'X',
    ShortBinUnicode = 0x8c,
    BinUnicode8 = 0x8d,
    BinBytes = (byte)'B',
    ShortBinBytes = (byte)'C',
    EmptyList = (byte)']',
    Append = (byte)'a',
    Appends = (byte)'e',
    EmptyTuple = (byte)')',
    Tuple = (byte)'t',
    Tuple1 = 0x85,
    Tuple2 = 0x86,
    Tuple3 = 0x87,
    EmptyDict = (byte)'}',
    SetItem = (byte)'s',
    SetItems = (byte)'u',
    Global = (byte)'c',
    StackGlobal = 0x93,
    Reduce = (byte)'R',
    Build = (byte)'b',
    BinPersId = (byte)'Q',
    BinPut = (byte)'q',
    LongBinPut = (byte)'r',
    Memoize = 0x94,
    BinGet = (byte)'h',
    LongBinGet = (byte)'j',
    Proto = 0x80,
    Frame = 0x95,
}

/// <summary>
/// What the names in a pickle mean. A pickle can ask for any function of Python by name and call it; here it gets what a
/// vocabulary gives it, which is data made by this library's code, and nothing else.
/// </summary>
internal interface IPickleVocabulary
{
    /// <summary>
    /// What stands for the name <paramref name="module"/>. <paramref name="name"/>; a <see cref="FormatException"/> where nothing does.
    /// </summary>
    object Find(string module, string name);

    /// <summary>What the call of something found gives.</summary>
    object Call(object callee, object?[] arguments);

    /// <summary>What a reference to something outside the pickle gives.</summary>
    object Refer(object? reference);

    /// <summary>Whether attributes may be set on something made; they are passed over.</summary>
    bool MayHaveAttributes(object made);
}
