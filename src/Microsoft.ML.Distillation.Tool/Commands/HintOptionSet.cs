using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The option that pairs feature maps of the student with maps or tensors of the teacher.</summary>
internal sealed class HintOptionSet
{
    private readonly Option<string[]> _hints = new("--hint")
    {
        Description = "A feature map of the student and the teacher's that it learns to resemble, as layer3=TENSOR; any tensor of an ONNX "
            + "teacher's graph "
            + "will do ('ml-distill inspect-teacher --tensors' lists them). May be given several times. [default: chosen by size; none "
                + "for an ONNX teacher]",
        HelpName = "STUDENT=TEACHER",
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Adds it to a command's options.</summary>
    public void AddTo(IList<Option> options) => options.Add(_hints);

    /// <summary>The pairs that were given.</summary>
    /// <exception cref="UsageException">One is no pair.</exception>
    public IReadOnlyList<HintPair> Read(ParseResult parsed) => [.. (parsed.GetValue(_hints) ?? []).Select(text =>
        text.IndexOf('=', StringComparison.Ordinal) is > 0 and int at && at < text.Length - 1
            ? new HintPair(text[..at], text[(at + 1)..])
            : throw new UsageException($"--hint is written STUDENT=TEACHER, not '{text}'."))];
}
