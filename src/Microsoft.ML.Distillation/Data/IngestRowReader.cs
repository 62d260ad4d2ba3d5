using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Data;

/// <summary>Reads and checks the row on which a cursor stands.</summary>
internal sealed class IngestRowReader : IDisposable
{
    private readonly IngestColumns _columns;
    private readonly IReadOnlyList<string> _keyNames;
    private readonly int[] _classOfKey;
    private readonly InvalidSamples _invalid;
    private readonly ImageReader _image;
    private readonly ValueGetter<VBuffer<uint>> _getLabels;
    private readonly ValueGetter<VBuffer<float>> _getBoxes;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _getPath;
    private readonly ValueGetter<VBuffer<bool>>[] _getLeftOut;

    private VBuffer<uint> _labels;
    private VBuffer<float> _boxes;
    private VBuffer<bool> _flags;

    /// <param name="keyNames">The names of the label column's keys.</param>
    /// <param name="classNames">The classes that they are mapped onto by name.</param>
    public IngestRowReader(
        DataViewRowCursor cursor, IngestColumns columns, IReadOnlyList<string> keyNames, IReadOnlyList<string> classNames, InvalidSamples invalid)
    {
        _columns = columns;
        _keyNames = keyNames;
        _classOfKey = [.. keyNames.Select(name => IndexOf(classNames, name))];
        _invalid = invalid;
        _image = new ImageReader(cursor, columns.Image, invalid);
        _getLabels = cursor.GetGetter<VBuffer<uint>>(columns.Label);
        _getBoxes = cursor.GetGetter<VBuffer<float>>(columns.Boxes);
        _getLeftOut = [.. columns.LeftOut.Select(cursor.GetGetter<VBuffer<bool>>)];
        if (columns.Path is { } path) _getPath = cursor.GetGetter<ReadOnlyMemory<char>>(path);
    }

    /// <summary>The row's image and objects, or null where it is left out.</summary>
    /// <param name="row">The number of the row, from 0, for messages.</param>
    /// <exception cref="InvalidDataException">The row cannot be used, and invalid samples are errors.</exception>
    public (RgbImage Image, Annotation Annotation)? Read(long row)
    {
        ReadOnlyMemory<char> path = default;
        _getPath?.Invoke(ref path);
        string where = path.IsEmpty ? $"Row {row}" : $"Row {row} ('{path}')";
        // Objects first: a row that is left out because of them need not be decoded.
        _getLabels(ref _labels);
        _getBoxes(ref _boxes);
        if (_boxes.Length != 4 * _labels.Length)
        {
            _invalid.AddImage(
                $"{where}: column '{_columns.Boxes.Name}' has {_boxes.Length} values, but {_labels.Length} labels in column "
                + $"'{_columns.Label.Name}' need {4 * _labels.Length}, four for each.");
            return null;
        }

        if (ReadLeftOut(where) is not { } leftOut) return null;
        if (_image.Read(where, path) is not { } image) return null;
        Annotation annotation = ReadObjects(where, new ImageSize(image.Width, image.Height), leftOut);
        if (annotation.Count > 0 || leftOut.All(isLeftOut => isLeftOut)) return (image, annotation);

        // Its objects are there, only nobody knows where: such an image would teach that they are background.
        _invalid.AddImage($"{where}: no box of the image can be used.");
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _image.Dispose();

    /// <summary>For each object whether a column marks it as none to train on; null where such a column has another length.</summary>
    private bool[]? ReadLeftOut(string where)
    {
        var leftOut = new bool[_labels.Length];
        for (int i = 0; i < _getLeftOut.Length; i++)
        {
            _getLeftOut[i](ref _flags);
            if (_flags.Length != leftOut.Length)
            {
                _invalid.AddImage($"{where}: column '{_columns.LeftOut[i].Name}' has {_flags.Length} values for {leftOut.Length} labels in column '{_columns.Label.Name}'.");
                return null;
            }

            foreach (KeyValuePair<int, bool> flag in _flags.Items()) leftOut[flag.Key] |= flag.Value;
        }

        return leftOut;
    }

    private Annotation ReadObjects(string where, ImageSize image, bool[] leftOut)
    {
        if (_labels.Length == 0) return Annotation.Empty;
        ReadOnlySpan<float> coordinates = [.. _boxes.DenseValues()];
        uint[] keys = [.. _labels.DenseValues()];
        var boxes = new List<float>(coordinates.Length);
        var labels = new List<int>(keys.Length);
        for (int i = 0; i < keys.Length; i++)
        {
            if (leftOut[i]) continue;
            if (ClassOf(keys[i], i, where) is not { } label) continue;
            if (UsableBox(coordinates.Slice(4 * i, 4), i, where, image) is not { } box) continue;
            boxes.AddRange([box.X0, box.Y0, box.X1, box.Y1]);
            labels.Add(label);
        }

        return new Annotation([.. boxes], [.. labels]);
    }

    private int? ClassOf(uint key, int index, string where)
    {
        string column = $"{where}, column '{_columns.Label.Name}'";
        if (key == 0 || key > _classOfKey.Length)
            _invalid.AddBox($"{column}: the label of object {index} is unknown (none of: {string.Join(", ", _keyNames)}).");
        else if (_classOfKey[key - 1] < 0)
            _invalid.AddBox($"{column}: the label '{_keyNames[(int)key - 1]}' of object {index} is none of the classes that are trained.");
        else
            return _classOfKey[key - 1];
        return null;
    }

    private (float X0, float Y0, float X1, float Y1)? UsableBox(ReadOnlySpan<float> box, int index, string where, ImageSize image)
    {
        (float, float, float, float)? clipped = BoxCheck.Clip(box, image);
        if (BoxCheck.Problem(box, image) is not { } problem) return clipped;
        string text = $"{where}, column '{_columns.Boxes.Name}': box {index}, {BoxCheck.Text(box)}, {problem}.";
        if (clipped is null) _invalid.AddBox(text);
        else _invalid.AddClippedBox(text);
        return clipped;
    }

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == name) return i;
        }

        return -1;
    }
}
