using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Teachers.Dense;

/// <summary>Which of a teacher's classes is which of a student's: by name to the letter, then in any spelling, then by alias.</summary>
internal sealed class ClassMatch
{
    private readonly int[] _studentOf;

    /// <param name="aliases">Which names mean the same; <see langword="null"/>: those by which PASCAL VOC and COCO differ.</param>
    /// <exception cref="ArgumentException">The two have no class in common.</exception>
    public ClassMatch(IReadOnlyList<string> teacherClasses, IReadOnlyList<string> studentClasses, ClassAliases? aliases = null)
    {
        ClassAliases known = aliases ?? new ClassAliases([]);
        StudentClasses = studentClasses.Count;
        string[] names = [.. studentClasses], spellings = [.. studentClasses.Select(ClassAliases.Plain)];
        string[] meanings = [.. studentClasses.Select(known.Meaning)];
        _studentOf = [.. teacherClasses.Select(name =>
            Array.IndexOf(names, name) is >= 0 and int same ? same
            : Array.IndexOf(spellings, ClassAliases.Plain(name)) is >= 0 and int spelled ? spelled
            : Array.IndexOf(meanings, known.Meaning(name)))];
        IsIdentity = TeacherClasses == StudentClasses && Enumerable.Range(0, TeacherClasses).All(c => _studentOf[c] == c);
        UnknownClasses = [.. Enumerable.Range(0, studentClasses.Count).Except(_studentOf)];
        IgnoredClasses = [.. teacherClasses.Where((_, c) => _studentOf[c] < 0)];
        if (UnknownClasses.Count == studentClasses.Count)
        {
            string remedy = aliases is null
                ? "Classes are matched by name."
                : $"If they are called otherwise, name the pairs in the option {nameof(OnnxTeacherOptions.Aliases)}.";
            throw new ArgumentException(
                $"The teacher knows none of the student's classes. It knows {List(teacherClasses)}; "
                + $"the student has {List(studentClasses)}. {remedy}");
        }
    }

    /// <summary>The number of the teacher's classes.</summary>
    public int TeacherClasses => _studentOf.Length;

    /// <summary>The number of the student's classes.</summary>
    public int StudentClasses { get; }

    /// <summary>Whether both lists are the same, in the same order.</summary>
    public bool IsIdentity { get; }

    /// <summary>The student's classes that the teacher lacks, as indices.</summary>
    public IReadOnlyList<int> UnknownClasses { get; }

    /// <summary>The teacher's classes that the student lacks.</summary>
    public IReadOnlyList<string> IgnoredClasses { get; }

    /// <summary>The student's class that a teacher's class is; −1 where it has none.</summary>
    public int StudentOf(int teacherClass) => _studentOf[teacherClass];

    /// <summary>
    /// Detections in the student's classes, without those of other classes. Of several that become one class's, the surest stands for an
    /// object.
    /// </summary>
    public Detections Map(Detections found)
    {
        Detections known = found.Of([.. Enumerable.Range(0, found.Count).Where(i => _studentOf[found.Labels[i]] >= 0)]);
        known = known with { Labels = Array.ConvertAll(known.Labels, label => _studentOf[label]) };
        bool oneForOne = _studentOf.Where(c => c >= 0).Distinct().Count() == _studentOf.Count(c => c >= 0);
        return oneForOne ? known : Suppression.Distinct(known);
    }

    /// <summary>Brings predictions into the student's classes, with background.</summary>
    /// <remarks>
    /// Teacher classes of one student class are added up, those of none count as background. Classes that do not exclude each other
    /// may sum to more than 1: then the best one keeps its probability and the others share what it leaves.
    /// </remarks>
    /// <param name="floor">The confidence, in the student's classes, below which a prediction is dropped.</param>
    public StudentPredictions Map(DensePredictions predictions, double floor)
    {
        int classes = _studentOf.Length, columns = StudentClasses + 1;
        var boxes = new List<float>();
        var kept = new List<int>();
        var confidences = new List<float>();
        var probabilities = new List<float>();
        Span<float> row = new float[columns];
        for (int i = 0; i < predictions.Count; i++)
        {
            ReadOnlySpan<float> given = predictions.Probabilities.AsSpan(i * classes, classes);
            row.Clear();
            float best = 0;
            for (int c = 0; c < classes; c++)
            {
                best = Math.Max(best, given[c]);
                if (_studentOf[c] >= 0) row[1 + _studentOf[c]] = Math.Min(1, row[1 + _studentOf[c]] + given[c]);
            }

            float known = Normalise(row);
            float confidence = best > 0 ? Math.Min(1, predictions.Confidences[i] * known / best) : 0;
            if (!(confidence >= floor) || known <= 0) continue;
            boxes.AddRange(predictions.Boxes.AsSpan(4 * i, 4));
            kept.Add(i);
            confidences.Add(confidence);
            probabilities.AddRange(row);
        }

        return new StudentPredictions([.. boxes], [.. probabilities], [.. confidences]) { Edges = predictions.Edges?.Of(kept) };
    }

    /// <summary>Makes a row of class probabilities sum to 1 with its background; gives the best class's probability.</summary>
    private static float Normalise(Span<float> row)
    {
        int best = 1;
        float sum = 0;
        for (int c = 1; c < row.Length; c++)
        {
            sum += row[c];
            if (row[c] > row[best]) best = c;
        }

        float top = row[best], others = sum - top;
        if (sum > 1)
        {
            for (int c = 1; c < row.Length; c++)
                if (c != best) row[c] *= (1 - top) / others;
        }

        row[0] = Math.Max(0, 1 - sum);
        return top;
    }

    private static string List(IReadOnlyList<string> names)
        => string.Join(", ", names.Take(20).Select(name => $"'{name}'")) + (names.Count > 20 ? $" and {names.Count - 20} more" : "");
}

/// <summary>Which names mean the same class.</summary>
internal sealed class ClassAliases
{
    /// <summary>The names by which PASCAL VOC and COCO differ, apart from their spaces.</summary>
    private static readonly (string, string)[] Common =
        [("aeroplane", "airplane"), ("motorbike", "motorcycle"), ("sofa", "couch"), ("tvmonitor", "tv")];

    private readonly Dictionary<string, string> _parents = [];

    /// <param name="pairs">Pairs of names that mean the same.</param>
    public ClassAliases(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        foreach ((string a, string b) in Common) Join(a, b);
        foreach ((string a, string b) in pairs) Join(a, b);
    }

    /// <summary>The aliases of the options and of the file that they name.</summary>
    /// <exception cref="FormatException">A line of the file is no pair of names; the message names it.</exception>
    public static ClassAliases Of(OnnxTeacherOptions options)
        => new(options.AliasFile is string path ? options.Aliases.Concat(Read(path)) : options.Aliases);

    /// <summary>A name as it is compared: case, spaces, underscores and hyphens do not count.</summary>
    public static string Plain(string name)
        => string.Concat(name.Where(letter => !char.IsWhiteSpace(letter) && letter is not ('_' or '-'))).ToUpperInvariant();

    /// <summary>A name that all names of the same meaning share.</summary>
    public string Meaning(string name)
    {
        string plain = Plain(name);
        while (_parents.TryGetValue(plain, out string? parent)) plain = parent;
        return plain;
    }

    private static IEnumerable<KeyValuePair<string, string>> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no alias file '{path}'.", path);
        InputFile.RefuseSpecial(path);
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (line.TrimStart().StartsWith('#') || line.Trim().Length == 0) continue;
            string[] names = line.Split('=', StringSplitOptions.TrimEntries);
            if (names.Length != 2 || names.Any(name => name.Length == 0))
                throw new FormatException($"{path}({number}): 'name = name' is expected, not '{ShortText.Of(line.Trim())}'.");
            yield return KeyValuePair.Create(names[0], names[1]);
        }
    }

    private void Join(string a, string b)
    {
        (string one, string other) = (Meaning(a), Meaning(b));
        if (one != other) _parents[one] = other;
    }
}
