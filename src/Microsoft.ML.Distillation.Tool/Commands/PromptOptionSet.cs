using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that tell a detector in words what to find.</summary>
internal sealed class PromptOptionSet
{
    private readonly Option<string[]> _prompt = new("--prompt")
    {
        Description = "Words that the ONNX detector is told to find (Grounding DINO, OWL-ViT, OWLv2, YOLO-World), and their class, as "
            + "\"kick scooter=scooter\"; the words alone where the class is called so. May be given several times, also for one class.",
        HelpName = "WORDS=CLASS",
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string?> _prompts = SharedOptions
        .Path("--prompts", "The same from a file, one in each line; lines that begin with # are skipped.", "FILE");
    private readonly Option<string?> _tokenizer = SharedOptions.Path("--tokenizer",
        "Its tokenizer: vocab.txt, vocab.json with merges.txt beside it, tokenizer.json, or a folder with them. [default: what lies beside "
            + "the model]");
    private readonly Option<string?> _encoder = SharedOptions
        .Path("--text-encoder", "For YOLO-World: CLIP's text tower as ONNX, which turns words into embeddings.", "FILE");
    private readonly Option<string?> _embeddings = SharedOptions.Path("--embeddings",
        "In its place: a file with the embeddings of the words (.npy, .npz or .safetensors), in the order of the prompts or by name.",
            "FILE");
    private readonly Option<string> _phraseScore = SharedOptions
        .Choice("--phrase-score", "How the scores of a phrase's tokens become the phrase's.", "best", "mean");
    private readonly Option<bool> _apart = new("--phrases-apart")
    {
        Description = "Each phrase has a pass of its own, which takes as many times as long. [default: where phrases leak into each other]",
    };

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in All) options.Add(option);
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [_prompt, _prompts, .. Further];

    private Option[] Further => [_tokenizer, _encoder, _embeddings, _phraseScore, _apart];

    /// <summary>Whether there are prompts.</summary>
    public bool AreGiven(ParseResult parsed)
        => parsed.GetResult(_prompt) is { Implicit: false } || parsed.GetValue(_prompts) is not null;

    /// <summary>What was given; <see langword="null"/>: nothing.</summary>
    /// <exception cref="UsageException">A prompt cannot be read, or an option is given that goes with prompts alone.</exception>
    public DetectorPrompts? Read(ParseResult parsed)
    {
        if (!AreGiven(parsed))
        {
            Option? orphan = Further.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
            return orphan is null ? null : throw new UsageException($"{orphan.Name} goes with --prompt or --prompts.");
        }

        try
        {
            IEnumerable<Prompt> file = parsed.GetValue(_prompts) is string path ? DetectorPrompts.Read(path).Prompts : [];
            return new DetectorPrompts([.. file, .. (parsed.GetValue(_prompt) ?? []).Select(Prompt.Parse)])
            {
                TokenizerPath = parsed.GetValue(_tokenizer),
                TextEncoderPath = parsed.GetValue(_encoder),
                EmbeddingsPath = parsed.GetValue(_embeddings),
                PhraseScore = parsed.GetValue(_phraseScore) == "mean" ? PhraseScore.Mean : PhraseScore.Best,
                OnePhrasePerPass = parsed.GetValue(_apart),
            };
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message);
        }
    }
}
