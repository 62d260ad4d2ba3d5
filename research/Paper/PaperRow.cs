namespace Microsoft.ML.Distillation.Research;

/// <summary>A detector that a table of the paper asks for. Rows of the same name are the same detector in every table.</summary>
/// <param name="Id">Its name, which is also that of its files.</param>
internal sealed record PaperRow(string Id)
{
    /// <summary>The network to train from scratch; <see langword="null"/> where <see cref="Start"/> is given.</summary>
    public DetectorPlan? Network { get; init; }

    /// <summary>The row whose trained detector, compressed, is trained further.</summary>
    public string? Start { get; init; }

    /// <summary>How it is compressed.</summary>
    public CompressionOptions? Compression { get; init; }

    /// <summary>The row that teaches it; <see langword="null"/>: none.</summary>
    public string? Teacher { get; init; }

    /// <summary>What it learns from its teacher.</summary>
    public IReadOnlyList<DistillationLoss>? Lesson { get; init; }

    /// <summary>The rows that must be trained before.</summary>
    public IEnumerable<string> Needs => new[] { Start, Teacher }.OfType<string>();

    /// <summary>The same detector under a teacher.</summary>
    /// <param name="lesson">A name of <see cref="PaperLessons"/>.</param>
    public PaperRow Under(string teacher, string lesson = PaperLessons.All)
        => this with
        {
            Id = $"{Id}+{teacher}{(lesson == PaperLessons.All ? "" : $".{lesson}")}",
            Teacher = teacher,
            Lesson = PaperLessons.Of(lesson)
        };
}

/// <summary>A place in a table.</summary>
/// <param name="Row">The detector.</param>
/// <param name="Line">The line of the table.</param>
/// <param name="Column">The column.</param>
/// <param name="Against">The row that it is compared with, in pairs of the same seed.</param>
/// <param name="Published">The paper's figures.</param>
internal sealed record PaperCell(PaperRow Row, string Line, string Column, string? Against = null, Published? Published = null);

/// <summary>A table of the paper.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Cells">Its places, line by line.</param>
internal sealed record PaperTable(int Number, string Title, IReadOnlyList<PaperCell> Cells)
{
    /// <summary>Whether the detectors are measured on the images that they learned from too.</summary>
    public bool MeasuresTraining => Cells.Any(cell => cell.Published?.Voc07Training is not null);
}
