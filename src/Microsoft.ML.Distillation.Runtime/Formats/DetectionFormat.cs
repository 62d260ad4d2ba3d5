namespace Microsoft.ML.Distillation;

/// <summary>The formats in which annotated images can be read; <c>PascalVoc</c>, <c>Coco</c> and <c>Yolo</c> can be written too.</summary>
public enum DetectionFormat
{
    /// <summary>
    /// Pascal VOC: one xml file an image. Either with the folders <c>Annotations</c>, <c>JPEGImages</c> and (not needed)
    /// <c>ImageSets/Main</c>, or with each xml file beside its image. Coordinates are kept as they are written: VOC's own count
    /// pixels from 1, those of most tools from 0.
    /// </summary>
    PascalVoc,

    /// <summary>
    /// COCO json: one file with images, categories and annotations, which may be named itself, lie in the folder or in its
    /// subfolder <c>annotations</c> (<c>instances_SPLIT.json</c>), or in a folder for each split.
    /// </summary>
    Coco,

    /// <summary>
    /// KITTI object detection: <c>label_2</c> with a text file an image, <c>image_2</c> with the images, perhaps in a folder
    /// <c>training</c>; splits are lists in <c>ImageSets</c>. DontCare regions have an empty label and are marked Ignore.
    /// </summary>
    Kitti,

    /// <summary>
    /// ImageNet-DET: VOC's xml with synsets as names, in <c>Annotations</c> (and <c>Annotations/DET</c>) with the images in
    /// <c>Data</c>; splits are lists in <c>ImageSets</c> or folders. Synsets become names where a file of names
    /// (<c>map_det.txt</c> and the like) is in the folder or given.
    /// </summary>
    ImageNet,

    /// <summary>
    /// YOLO: one text file an image with <c>class x y width height</c> in shares of the image; folders <c>images</c> and
    /// <c>labels</c>, or both kinds of files side by side; class names and splits in <c>data.yaml</c>, or a file of names.
    /// An image without a label file has no objects.
    /// </summary>
    Yolo,

    /// <summary>
    /// OpenImages csv: one file with all boxes in shares of their images, with a header. Codes like <c>/m/01g317</c> become names where
    /// a file <c>*class-descriptions*.csv</c> is in the folder or given. Images that the file does not name are not read.
    /// </summary>
    OpenImages,

    /// <summary>ML.NET's text form: a line an image, <c>path ⇥ label,label ⇥ x0,y0,x1,y1,…</c>, in pixels.</summary>
    TabSeparated,
}

/// <summary>What <see cref="DetectionCatalog.SaveDetections"/> wrote.</summary>
/// <param name="Images">How many images.</param>
/// <param name="Objects">How many objects.</param>
/// <param name="LeftOut">How many objects the format has no way to say: regions of no class; for YOLO also groups and regions to
/// ignore.</param>
public sealed record WrittenAnnotations(int Images, int Objects, int LeftOut);
