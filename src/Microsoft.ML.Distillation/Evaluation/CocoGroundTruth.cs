using System.Text.Json.Serialization;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>What evaluation needs of a COCO annotation file; other members of the file are passed over.</summary>
internal sealed class CocoGroundTruth
{
    [JsonPropertyName("images"), JsonRequired]
    public List<CocoImage> Images { get; set; } = [];

    [JsonPropertyName("categories"), JsonRequired]
    public List<CocoCategory> Categories { get; set; } = [];

    [JsonPropertyName("annotations"), JsonRequired]
    public List<CocoAnnotation> Annotations { get; set; } = [];
}

/// <summary>An image of a COCO file.</summary>
internal sealed class CocoImage
{
    [JsonPropertyName("id"), JsonRequired]
    public long Id { get; set; }

    [JsonPropertyName("file_name")]
    public string? FileName { get; set; }
}

/// <summary>A class of a COCO file.</summary>
internal sealed class CocoCategory
{
    [JsonPropertyName("id"), JsonRequired]
    public long Id { get; set; }

    [JsonPropertyName("name")]
    public string? Name { get; set; }
}

/// <summary>An annotated object of a COCO file; its box is x, y, width, height in pixels.</summary>
internal sealed class CocoAnnotation
{
    [JsonPropertyName("image_id"), JsonRequired]
    public long ImageId { get; set; }

    [JsonPropertyName("category_id"), JsonRequired]
    public long CategoryId { get; set; }

    [JsonPropertyName("bbox"), JsonRequired]
    public double[] Box { get; set; } = [];

    [JsonPropertyName("area")]
    public double? Area { get; set; }

    [JsonPropertyName("iscrowd")]
    public int IsCrowd { get; set; }
}

/// <summary>A detection in COCO's result format; its box is x, y, width, height in pixels.</summary>
internal sealed class CocoDetection
{
    [JsonPropertyName("image_id"), JsonRequired]
    public long ImageId { get; set; }

    [JsonPropertyName("category_id"), JsonRequired]
    public long CategoryId { get; set; }

    [JsonPropertyName("bbox"), JsonRequired]
    public double[] Box { get; set; } = [];

    [JsonPropertyName("score"), JsonRequired]
    public double Score { get; set; }

    /// <summary>Not COCO's, but allowed by it: the image's file, so that the result can be read without a list of ids.</summary>
    [JsonPropertyName("file_name"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FileName { get; set; }
}
