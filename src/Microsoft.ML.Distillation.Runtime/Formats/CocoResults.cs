using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>A detection in COCO's result format.</summary>
internal readonly record struct CocoDetection(CocoId Image, CocoId Category, CocoBox Box, double Score)
{
    /// <summary>Not COCO's, but allowed by it: the image's file, so that the result can be read without a list of ids.</summary>
    public string? FileName { get; init; }

    /// <summary>The line in which it begins, where it was read.</summary>
    public int Line { get; init; }
}

/// <summary>Reads and writes COCO's result files: a list of detections with image_id, category_id, bbox and score.</summary>
internal static class CocoResults
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is not a COCO result file; the message names file, line and element.</exception>
    public static IReadOnlyList<CocoDetection> Read(string path)
    {
        using FileStream stream = AnnotationFile.Open(path);
        return Parse(stream, path);
    }

    /// <inheritdoc cref="Read"/>
    public static IReadOnlyList<CocoDetection> Parse(Stream stream, string file)
    {
        try
        {
            var json = new JsonTokens(stream, file);
            return ReadList(ref json);
        }
        catch (JsonException exception)
        {
            throw AnnotationError.Malformed(file, exception);
        }
    }

    /// <summary>Writes a file, beside its place and then renamed.</summary>
    public static void Write(string path, IEnumerable<CocoDetection> detections)
    {
        using var stream = new MemoryStream();
        using (Utf8JsonWriter json = CocoMembers.WriterOf(stream))
        {
            json.WriteStartArray();
            foreach (CocoDetection detection in detections)
            {
                json.WriteStartObject();
                WriteId(json, "image_id", detection.Image);
                WriteId(json, "category_id", detection.Category);
                json.WriteStartArray("bbox");
                CocoBox box = detection.Box;
                foreach (double number in (ReadOnlySpan<double>)[box.X, box.Y, box.Width, box.Height])
                    json.WriteNumberValue(number);
                json.WriteEndArray();
                json.WriteNumber("score", detection.Score);
                if (detection.FileName is not null) json.WriteString("file_name", detection.FileName);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        AtomicFile.Write(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static List<CocoDetection> ReadList(ref JsonTokens json)
    {
        json.Read();
        if (json.Type != JsonTokenType.StartArray)
            throw AnnotationError.At(json.File, json.Line, "a list of detections with image_id, category_id, bbox and score is expected");
        var detections = new List<CocoDetection>();
        while (json.Read() && json.Type != JsonTokenType.EndArray)
        {
            var element = new CocoElement("detections", detections.Count, json.Line);
            if (json.Type != JsonTokenType.StartObject) throw element.Error(ref json, "is no object");
            detections.Add(ReadDetection(ref json, element));
        }

        json.Read();
        return detections;
    }

    private static CocoDetection ReadDetection(ref JsonTokens json, CocoElement element)
    {
        CocoId? image = null, category = null;
        CocoBox? box = null;
        double? score = null;
        string? name = null;
        while (json.NextMember())
        {
            if (json.Enter("image_id"u8)) image = element.Id(ref json, "image_id");
            else if (json.Enter("category_id"u8)) category = element.Id(ref json, "category_id");
            else if (json.Enter("bbox"u8)) box = element.Box(ref json);
            else if (json.Enter("score"u8)) score = element.Score(ref json);
            else if (json.Enter("file_name"u8)) name = element.Name(ref json, "file_name");
            else json.Skip();
        }

        return new CocoDetection(
            image ?? throw element.Error(ref json, "has no image_id"), category ?? throw element.Error(ref json, "has no category_id"),
            box ?? throw element.Error(ref json, "has no bbox"), score ?? throw element.Error(ref json, "has no score"))
        {
            FileName = name,
            Line = element.Line,
        };
    }

    private static void WriteId(Utf8JsonWriter json, string member, CocoId id)
    {
        if (id.Text is null) json.WriteNumber(member, id.Number);
        else json.WriteString(member, id.Text);
    }
}
