namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>Two objects, a cat and a dog, in every format.</summary>
internal static class Samples
{
    public const string Voc = """
        <?xml version="1.0" encoding="utf-8"?>
        <annotation>
          <filename>a.jpg</filename>
          <size><width>100</width><height>50</height><depth>3</depth></size>
          <object>
            <name>cat</name><truncated>1</truncated><occluded>0</occluded><difficult>1</difficult>
            <bndbox><xmin>1.5</xmin><ymin>2</ymin><xmax>20</xmax><ymax>1e1</ymax></bndbox>
          </object>
          <object>
            <name>dog</name>
            <bndbox><xmin>30</xmin><ymin>5</ymin><xmax>40</xmax><ymax>25</ymax></bndbox>
          </object>
        </annotation>
        """;

    public const string Coco = """
        {
          "info": {"description": "two of them", "list": [1, [2, {"three": 3}]]},
          "annotations": [
            {"id": 1, "image_id": 9007199254740993, "category_id": 7, "bbox": [1.5, 2, 18.5, 8], "area": 100.5, "iscrowd": 0,
             "segmentation": [[1, 2, 3, 4, 5, 6]], "attributes": {"occluded": true, "truncated": 0.5, "more": [1]}},
            {"image_id": "b", "category_id": 3, "bbox": [30, 5, 10, 20], "iscrowd": 1, "segmentation": {"counts": "abc", "size": [50, 100]}}
          ],
          "images": [
            {"id": 9007199254740993, "file_name": "a.jpg", "width": 100, "height": 50},
            {"id": "b", "file_name": "b.jpg"},
            {"id": -3, "file_name": "c\u00e9.jpg", "width": null}
          ],
          "categories": [{"id": 7, "name": "cat", "supercategory": "animal"}, {"name": "dog", "id": 3}]
        }
        """;

    public const string Kitti = """
        Cat 0.25 1 -1.57 1.5 2.00 20 10 1.2 1.8 4.3 1.84 1.47 8.41 0.01
        DontCare -1 -1 -10 30 5 40 25 -1 -1 -1 -1000 -1000 -1000 -10
        Dog 0.00 3 1.1 0 0 7 8 1 2 3 4 5 6 7 0.97
        """;

    public const string Yolo = "0 0.1075 0.12 0.185 0.16\n1 0.35 0.3 0.1 0.4\n";

    public const string OpenImages = """
        ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside
        a,xclick,/m/1,1,0.015,0.2,0.04,0.2,1,0,0,0,0
        b.jpg,,"Wild ""dog"", other",,"0,3",0.4,"0,1",0.5,-1,1,1,,
        a,xclick,/m/2,1,0,1,0,1,0,0,0,0,0
        """;

    public const string TabSeparated = "ImagePath\tLabels\tBox\na.jpg\tcat,dog\t1.5,2,20,10,30,5,40,25\nsub/b.jpg\t\t\n";

    public const string ImageNet =
        "<annotation><object><name>n00000002</name><bndbox><xmin>1</xmin><xmax>3</xmax><ymin>2</ymin><ymax>4</ymax>"
        + "</bndbox></object></annotation>";

    public static string Of(DetectionFormat format) => format switch
    {
        DetectionFormat.PascalVoc => Voc,
        DetectionFormat.Coco => Coco,
        DetectionFormat.Kitti => Kitti,
        DetectionFormat.ImageNet => ImageNet,
        DetectionFormat.Yolo => Yolo,
        DetectionFormat.OpenImages => OpenImages,
        _ => TabSeparated,
    };
}
