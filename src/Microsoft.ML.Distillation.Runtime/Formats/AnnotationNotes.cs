using System.Globalization;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>What a reading of annotations met that was no reason to stop. Read again, the same is noted once.</summary>
/// <param name="skipsFaults">
/// Whether what is wrong is left out and noted; else it is an error, and only what is to be said of sound annotations is noted.
/// </param>
internal sealed class AnnotationNotes(bool skipsFaults)
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<AnnotationFault> _faults = [];
    private readonly List<string> _warnings = [];
    private readonly Dictionary<string, (int Count, string First)> _counted = new(StringComparer.Ordinal);

    /// <summary>What is wrong and left out, in the order in which it was met.</summary>
    public IReadOnlyList<AnnotationFault> Faults
    {
        get
        {
            lock (_seen) return [.. _faults];
        }
    }

    /// <summary>What is to be said of annotations that are read.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (_seen)
            {
                IEnumerable<string> counted = _counted.Select(kind => string.Create(
                    CultureInfo.InvariantCulture, $"{kind.Key}: {kind.Value.Count}. The first: {kind.Value.First}."));
                return [.. _warnings, .. counted];
            }
        }
    }

    /// <summary>Takes note of a fault, for the filter of a catch clause.</summary>
    /// <param name="file">The file that it is in.</param>
    /// <returns>Whether the reading goes on.</returns>
    public bool Takes(Exception fault, string file)
    {
        if (!skipsFaults) return false;
        lock (_seen)
        {
            if (_seen.Add(fault.Message)) _faults.Add(new AnnotationFault(file, fault.Message));
        }

        return true;
    }

    /// <summary>Counts something that is to be said once, with its first place.</summary>
    /// <param name="what">What is counted.</param>
    /// <param name="where">Where it is met; the same place counts once.</param>
    public void Count(string what, string where)
    {
        lock (_seen)
        {
            if (!_seen.Add($"{what}\n{where}")) return;
            (int count, string first) = _counted.GetValueOrDefault(what, (0, where));
            _counted[what] = (count + 1, first);
        }
    }

    /// <summary>Takes note of something to be said.</summary>
    public void Warn(string warning)
    {
        lock (_seen)
        {
            if (_seen.Add(warning)) _warnings.Add(warning);
        }
    }
}

/// <summary>Something wrong in an annotation file.</summary>
/// <param name="File">The file.</param>
/// <param name="Message">What, with file and line.</param>
internal sealed record AnnotationFault(string File, string Message);

/// <summary>What is said of classes that have the same name.</summary>
internal static class RepeatedNames
{
    /// <summary>The warning.</summary>
    public static string Warning(string file, IEnumerable<string> names)
        => $"{file}: several classes have the name {string.Join(", ", names.Distinct().Select(name => AnnotationError.Quote(name)))}; "
            + "they are one class.";
}
