using System.Xml;
using System.Xml.Linq;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>An element of a VOC annotation file, whose errors name the file and its line.</summary>
internal readonly record struct VocElement(string File, XElement Element)
{
    /// <summary>The text in it, trimmed.</summary>
    public string Text => Element.Value.Trim();

    /// <summary>The line in which it begins.</summary>
    public int Line => ((IXmlLineInfo)Element).LineNumber;

    /// <summary>The first child of a name, or null.</summary>
    public VocElement? Find(string name) => Element.Element(name) is { } child ? this with { Element = child } : null;

    /// <summary>The first child of a name.</summary>
    public VocElement Child(string name) => Find(name) ?? throw Error($"<{Element.Name}> has no <{name}>");

    /// <summary>All children of a name.</summary>
    public IEnumerable<VocElement> All(string name)
    {
        string file = File;
        return Element.Elements(name).Select(child => new VocElement(file, child));
    }

    /// <summary>Checks the element's own name.</summary>
    public void ExpectName(string name)
    {
        if (Element.Name != name) throw Error($"an <{name}> is expected, not <{Element.Name}>");
    }

    /// <summary>The finite number in it.</summary>
    public float Number()
        => NumberText.TryParse(Text, out double number) && float.IsFinite((float)number) ? (float)number : throw Unexpected("no number");

    /// <summary>The whole number in it; 0 where it is empty.</summary>
    public int Whole(int min, int max)
    {
        string text = Text;
        if (text.Length == 0) return 0;
        if (!NumberText.TryParse(text, out int number)) throw Unexpected("no whole number");
        return number >= min && number <= max ? number : throw Unexpected($"not from {min} to {max}");
    }

    /// <summary>Yes or no.</summary>
    public bool Flag() => Share() > 0;

    /// <summary>Yes (1), no (0), or a share between them.</summary>
    public float Share()
    {
        string text = Text;
        switch (text.ToLowerInvariant())
        {
            case "" or "false" or "no" or "unspecified": return 0;
            case "true" or "yes": return 1;
            default:
                return NumberText.TryParse(text, out double share) && share is >= 0 and <= 1 ? (float)share : throw Unexpected("neither 0 nor 1");
        }
    }

    /// <summary>An error in this element.</summary>
    public FormatException Error(string problem) => AnnotationError.At(File, Line, problem);

    private FormatException Unexpected(string what) => Error($"<{Element.Name}> holds {AnnotationError.Quote(Text)}, which is {what}");
}
