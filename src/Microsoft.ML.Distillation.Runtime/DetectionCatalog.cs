using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Inspection;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation;

/// <summary>
/// The front door of whatever looks at data and results: what this library adds to <c>mlContext.Data</c>, to an <see cref="MLContext"/> and
/// to fitted models.
/// </summary>
public static class DetectionCatalog
{
    /// <summary>
    /// Reads annotated images from a folder: the columns <c>ImagePath</c> (text), <c>Label</c> (vector of text: the class of each
    /// object) and <c>BoundingBoxes</c> (vector of Single: x0 y0 x1 y1 of each object in pixels), and, parallel to <c>Label</c>, what the
    /// format says of the objects: <c>Difficult</c>, <c>Crowd</c>, <c>Ignore</c> (Boolean), <c>Truncated</c> (Single), <c>Occluded</c>
    /// (Int32), <c>Area</c> (Single) and <c>LabelScore</c> (Single: how sure a detector was that made the label, not a number for a
    /// person's). <c>ImageWidth</c> and <c>ImageHeight</c> (Int32) are what the annotation says of the image's size in pixels, 0 where it
    /// says nothing. Images without objects are rows too. Files are read as rows are.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="format">How the folder is laid out.</param>
    /// <param name="split">A part of the data: a list in <c>ImageSets/Main</c>, or a subfolder; <see langword="null"/> for all.</param>
    /// <param name="imageFolder">Where the images are, if not where the format expects them.</param>
    /// <param name="namesFile">The file of class names, for the formats that need one: ImageNet's synsets, YOLO's and OpenImages'
    /// names.</param>
    /// <param name="allowMissingImages">
    /// Whether images that do not exist are rows too, for what needs no pixels and for <see cref="InvalidSampleHandling.Skip"/>. In YOLO
    /// and OpenImages, which give boxes in shares of an image, these rows, and those of images that cannot be read, have no objects.
    /// </param>
    /// <param name="onInvalidAnnotation">
    /// What happens to annotations that are not as they must be: an error that names file and line, or they are left out, with the images
    /// of whose objects none is left; their number and the first are then a warning in the context's log.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, does not exist; or, as rows are read, an
    /// image.</exception>
    /// <exception cref="FormatException">A file is not of the format; the message names file and line. Thrown here or as rows are
    /// read.</exception>
    public static IDataView LoadDetections(
        this DataOperationsCatalog catalog, string folder, DetectionFormat format = DetectionFormat.PascalVoc, string? split = null,
        string? imageFolder = null, string? namesFile = null, bool allowMissingImages = false,
        InvalidSampleHandling onInvalidAnnotation = InvalidSampleHandling.Error)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var source = new AnnotationSource(folder, split, imageFolder, namesFile) { ToleratesBrokenImages = allowMissingImages };
        return DetectionLoader.Load(catalog, format, source, onInvalidAnnotation);
    }

    /// <summary>
    /// Tells which format a data set is of, from its files: KITTI's <c>label_2</c>, YOLO's data.yaml or <c>labels</c>, VOC's and ImageNet's
    /// xml, COCO's json, OpenImages' csv, a .tsv.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder, or for formats with one file that file.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="FormatException">
    /// There are no annotations of a known format, or of several; the message says which, by one file of each, or that there are images
    /// without annotations.
    /// </exception>
    public static DetectionFormat RecognizeDetectionFormat(this DataOperationsCatalog catalog, string folder)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return DataRecognition.Recognize(new AnnotationSource(folder));
    }

    /// <summary>
    /// Whether a data set has a part. Formats that keep all annotations in one file parse that to find out. A part that a data.yaml names
    /// and that is not there is a warning in the context's log, with the path.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="format">How the folder is laid out.</param>
    /// <param name="split">The name of the part, as <see cref="LoadDetections"/> takes it.</param>
    /// <param name="imageFolder">Where the images are, if not where the format expects them.</param>
    /// <param name="namesFile">The file of class names, for the formats that need one.</param>
    /// <exception cref="FormatException">A file that would tell is not of the format; the message names file and line.</exception>
    public static bool HasDetectionSplit(
        this DataOperationsCatalog catalog, string folder, DetectionFormat format, string split, string? imageFolder = null,
        string? namesFile = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(split);
        return DetectionLoader.Has(catalog, format, new AnnotationSource(folder, split, imageFolder, namesFile));
    }

    /// <summary>
    /// Reads the images of a column of paths, upright: photos are turned as their Exif data ask for, as viewers and most labelling tools
    /// show them, where ML.NET's own <c>LoadImages</c> takes them as they are stored; a file that is missing, broken, cut off or too large
    /// is an error that names it; transparency is ignored. It is saved with a model like any of ML.NET's steps.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The column of images (<see cref="MLImage"/>) to make.</param>
    /// <param name="imageFolder">The folder to which the paths are relative; <see langword="null"/>: they are full, or relative to the
    /// working directory.</param>
    /// <param name="inputColumnName">The column of paths (text). <see langword="null"/>: the one called as
    /// <paramref name="outputColumnName"/>.</param>
    /// <param name="maxPixels">How many pixels an image may have, width times height as its header says; a larger one is an error before
    /// any pixel is decoded.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxPixels"/> is below 1.</exception>
    public static IEstimator<ITransformer> LoadUprightImages(
        this TransformsCatalog catalog, string outputColumnName, string? imageFolder = null, string? inputColumnName = null,
        long maxPixels = ImageLoader.DefaultMaxPixels)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(outputColumnName);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        return new UprightImageEstimator(catalog, outputColumnName, inputColumnName ?? outputColumnName, imageFolder ?? "", maxPixels);
    }

    /// <summary>
    /// The classes that a data set lists, whether or not an object is of them: COCO's categories, but for groups of others without an
    /// object, and the names in YOLO's data.yaml. Given as <c>keyData</c> to <c>MapValueToKey</c>, they are what a detector is trained for.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="format">How the folder is laid out.</param>
    /// <param name="split">The part, for formats with a file for each.</param>
    /// <param name="imageFolder">Where the images are, if not where the format expects them.</param>
    /// <param name="namesFile">The file of class names, for the formats that need one.</param>
    /// <returns>The classes in the order of the list; <see langword="null"/> for formats without one.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, does not exist.</exception>
    /// <exception cref="FormatException">A file is not of the format; the message names file and line.</exception>
    public static IReadOnlyList<string>? ListedDetectionClasses(
        this DataOperationsCatalog catalog, string folder, DetectionFormat format, string? split = null, string? imageFolder = null,
        string? namesFile = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return ListedClasses.Of(
            format, new AnnotationSource(folder, split, imageFolder, namesFile) { Notes = new AnnotationNotes(skipsFaults: true) });
    }

    /// <summary>
    /// Writes annotated images into a folder: <see cref="LoadDetections"/>'s columns, of which all but <c>ImagePath</c>, <c>Label</c> and
    /// <c>BoundingBoxes</c> may be missing, or the labels that a teacher made (<c>Label</c> of keys). Scores (<c>LabelScore</c>) stand in
    /// COCO's and VOC's files as <c>score</c>, and beside YOLO's labels, whose tools often take no sixth column, in <c>scores</c>: a file
    /// for each of <c>labels</c>, of lines <c>class x y width height score</c>. All files are written beside their places and moved there
    /// at the end, so that an error leaves nothing half written; files of the same names are replaced.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="data">The annotated images. Where the data do not say an image's size, its file is asked.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="format"><see cref="DetectionFormat.PascalVoc"/>, <see cref="DetectionFormat.Coco"/> or
    /// <see cref="DetectionFormat.Yolo"/>.</param>
    /// <param name="split">The name of the part that the images are. <see langword="null"/>: VOC gets no list of a part, COCO "default",
    /// YOLO "train".</param>
    /// <param name="copyImages">Whether the images are copied to where the format has them.</param>
    /// <param name="maxPixels">How many pixels an image may have that is turned upright as it is copied.</param>
    /// <param name="cancellationToken">Ends the writing between two images, with nothing written.</param>
    /// <exception cref="NotSupportedException">The format cannot be written.</exception>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidDataException">Two images have the same name, or a label cannot be written.</exception>
    /// <exception cref="FileNotFoundException">An image does not exist that is to be copied, or whose size is needed.</exception>
    /// <exception cref="FormatException">An image cannot be read, or a file there already that is to be completed.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    public static WrittenAnnotations SaveDetections(
        this DataOperationsCatalog catalog, IDataView data, string folder, DetectionFormat format, string? split = null,
        bool copyImages = false, long maxPixels = ImageLoader.DefaultMaxPixels, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        var options = new AnnotationWriterOptions
        {
            Split = split,
            CopyImages = copyImages,
            MaxPixels = maxPixels,
            Cancellation = cancellationToken,
        };
        return AnnotationWriter.Write(format, folder, DetectionLoader.Read(catalog, data), options);
    }

    /// <summary>
    /// Looks through annotated images: counts, balance of classes, sizes, and all defects (annotations that are not as they must be, boxes
    /// without area or outside, images that cannot be read, the same image in two parts). Every image is decoded once.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Data</c>.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="format">How the folder is laid out.</param>
    /// <param name="splits">The parts to look through; <see langword="null"/> for those of train, val and test that there are, else all; an
    /// empty list for all images as one part.</param>
    /// <param name="imageFolder">Where the images are, if not where the format expects them.</param>
    /// <param name="namesFile">The file of class names, for the formats that need one.</param>
    /// <param name="maxPixels">How many pixels an image may have; a larger one is a defect and not decoded.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">A part, or a file that is needed, does not exist.</exception>
    /// <exception cref="FormatException">The file that all depends on (COCO's json, YOLO's data.yaml) is broken; the message names file and
    /// line.</exception>
    public static DetectionDataInspection InspectDetections(
        this DataOperationsCatalog catalog, string folder, DetectionFormat format = DetectionFormat.PascalVoc,
        IReadOnlyList<string>? splits = null,
        string? imageFolder = null, string? namesFile = null, long maxPixels = ImageLoader.DefaultMaxPixels)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        var source = new AnnotationSource(folder, null, imageFolder, namesFile);
        using IChannel channel = EnvironmentSettings.EnvironmentOf(catalog).Register("Reading images").Start("Inspecting");
        return DataInspector.Inspect(format, source, splits, maxPixels, text => channel.Info(MessageSensitivity.None, text));
    }

    /// <summary>Measures predictions against the ground truth by the rules of COCO, PASCAL VOC, KITTI and ILSVRC.</summary>
    /// <remarks>
    /// Of the objects these columns are read too, where the data have them as <see cref="LoadDetections"/> gives them, vectors parallel to
    /// the labels: <c>Difficult</c>, <c>Crowd</c> and <c>Ignore</c> (Boolean: such objects need not be found, nor is finding them wrong;
    /// a region to ignore may have an empty label and then concerns every class), <c>Truncated</c> (Single) and <c>Occluded</c> (Int32),
    /// which decide KITTI's difficulty, and <c>Area</c> (Single), which decides COCO's ranges of size.
    /// </remarks>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">Ground truth and predictions, as a fitted detector's <c>Transform</c> gives them on annotated images.</param>
    /// <param name="labelColumnName">The classes of the objects: a vector of text, or of keys with names.</param>
    /// <param name="boundingBoxColumnName">The boxes of the objects: x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="predictedLabelColumnName">The classes of the detections: a vector of text, or of keys with names.</param>
    /// <param name="scoreColumnName">The scores of the detections.</param>
    /// <param name="predictedBoundingBoxColumnName">The boxes of the detections: x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="inclusiveVocPixels">
    /// Whether PASCAL VOC's figures take x1 and y1 for the last pixel inside, as its devkits do: a width is x1 - x0 + 1. Others are not
    /// concerned.
    /// </param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidDataException">A row has unequal numbers of boxes and labels; the message names row and column.</exception>
    public static DetectionMetrics EvaluateDetections(
        this MLContext mlContext,
        IDataView data,
        string labelColumnName = "Label",
        string boundingBoxColumnName = "BoundingBoxes",
        string predictedLabelColumnName = "PredictedLabel",
        string scoreColumnName = "Score",
        string predictedBoundingBoxColumnName = "PredictedBoundingBoxes",
        bool inclusiveVocPixels = true)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        return DataViewEvaluation.Evaluate(
            data, labelColumnName, boundingBoxColumnName, predictedLabelColumnName, scoreColumnName, predictedBoundingBoxColumnName,
            inclusiveVocPixels);
    }

    /// <summary>
    /// Measures detections against ground truth, both in files of COCO's format: the annotation file and the result file of COCO's own
    /// tool.
    /// </summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="groundTruth">The annotation file.</param>
    /// <param name="detections">The result file.</param>
    /// <param name="inclusiveVocPixels">As in <see cref="EvaluateDetections"/>.</param>
    /// <returns>The figures, and what is to be said of detections that were left out.</returns>
    /// <exception cref="FileNotFoundException">One of them does not exist.</exception>
    /// <exception cref="FormatException">One of them is not what it must be; the message names file, line and element.</exception>
    public static CocoFileEvaluation EvaluateCocoFiles(
        this MLContext mlContext, string groundTruth, string detections, bool inclusiveVocPixels = true)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentException.ThrowIfNullOrEmpty(groundTruth);
        ArgumentException.ThrowIfNullOrEmpty(detections);
        return CocoPairing.Read(groundTruth, detections).Measure(detections, inclusiveVocPixels);
    }

    /// <summary>Measures a detector on annotated images: what it can do, and how long it takes.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="detector">The detector, of this library or a published one.</param>
    /// <param name="testSet">
    /// Annotated images as <see cref="LoadDetections"/> gives them, with what else it says of the objects; images are read from the files
    /// that <c>ImagePath</c> names, or taken from a column of images.
    /// </param>
    /// <param name="imageColumnName">The column of images, where there is one.</param>
    /// <param name="labelColumnName">The classes of the objects: a vector of text, or of keys with names. They are matched by name.</param>
    /// <param name="boundingBoxColumnName">The boxes of the objects: x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="inclusiveVocPixels">As in <see cref="EvaluateDetections"/>.</param>
    /// <param name="cancellationToken">Ends the measurement.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the data have no row.</exception>
    /// <exception cref="FormatException">An image cannot be read; the message names it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static DetectorMeasurement MeasureDetector(
        this MLContext mlContext, ObjectDetector detector, IDataView testSet, string imageColumnName = "Image",
        string labelColumnName = "Label", string boundingBoxColumnName = "BoundingBoxes", bool inclusiveVocPixels = true,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(detector);
        ArgumentNullException.ThrowIfNull(testSet);
        var columns = new DetectorReportOptions
        {
            ImageColumnName = imageColumnName,
            LabelColumnName = labelColumnName,
            BoundingBoxColumnName = boundingBoxColumnName,
        };
        return MeasuredTestSet.Measure([detector], testSet, columns, inclusiveVocPixels, warning =>
        {
            using IChannel channel = ((IHostEnvironment)mlContext).Register(nameof(MeasureDetector)).Start("Measuring");
            channel.Warning(MessageSensitivity.UserData, warning);
        }, cancellationToken).Measurements[0];
    }

    /// <summary>
    /// Draws detections on a copy of an image: boxes in a colour for each class, with names and scores that do not lie on each other. Where
    /// a crowd leaves a label no room near its box, it is left out.
    /// </summary>
    /// <param name="image">The image, which stays as it is and the caller's.</param>
    /// <param name="detections">
    /// The detections, best first; the best lies on top. Boxes are in pixels of the image. A score that is not a number is not written, for
    /// what a person annotated.
    /// </param>
    /// <param name="classNames">All classes, so that each has the same colour in every image.</param>
    /// <returns>The picture, which belongs to the caller. <c>Save</c> writes it.</returns>
    public static MLImage DrawDetections(this MLImage image, IReadOnlyList<Detection> detections, IReadOnlyList<string> classNames)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(detections);
        ArgumentNullException.ThrowIfNull(classNames);
        var picture = Picture.Of(image);
        Dictionary<string, int> labels = [];
        foreach (string name in classNames) labels.TryAdd(name, labels.Count);
        DetectionPainter.Draw(picture, [.. detections.Select(one => new DrawnBox(
            one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1, labels.GetValueOrDefault(one.Label), one.Label,
            float.IsNaN(one.Score) ? null : one.Score))]);
        return picture.ToMLImage();
    }

    /// <summary>
    /// Writes the detector in a fitted model as one ONNX file (operator set 18) that runs anywhere. Works on a model fresh from
    /// <c>Fit</c> as well as on one that ML.NET has loaded. The file appears whole or not at all.
    /// </summary>
    /// <remarks>
    /// <para>Inputs: <c>pixels</c>, uint8 [1,3·height·width], the image as RGB, rows from the top; <c>size</c>, int64 [1,2], its
    /// height and width. Outputs: <c>boxes</c>, float [1,K,4], x0 y0 x1 y1 in pixels of the image; <c>scores</c>, float [1,K],
    /// best first; <c>classes</c>, int64 [1,K], 0-based. The metadata entry <c>names</c> holds the class names as a JSON list.</para>
    /// <para>Plain: the one input <c>images</c>, float [1,3,H,W], is the image at the network's size, RGB, 0 to 1, and the boxes
    /// are shares of the image, 0 to 1. For the same detections it must be resized as PIL's bilinear filter does.</para>
    /// </remarks>
    /// <param name="model">A fitted detector, or a chain that holds one.</param>
    /// <param name="path">The file to write.</param>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    public static void SaveOnnx(this ITransformer model, string path) => model.SaveOnnx(path, new OnnxExportOptions());

    /// <param name="plain">Whether to leave the preparation of the image to the caller.</param>
    /// <inheritdoc cref="SaveOnnx(ITransformer, string)"/>
    public static void SaveOnnx(this ITransformer model, string path, bool plain)
    {
        model.SaveOnnx(path, new OnnxExportOptions { Form = plain ? OnnxForm.Plain : OnnxForm.Whole });
    }

    /// <summary>
    /// Writes the detector in a fitted model as one ONNX file in a form and a precision of your choice (operator set 18; 21 with weights of
    /// 4 bits). Works on a model fresh from <c>Fit</c> as well as on one that ML.NET has loaded. The file appears whole or not at all.
    /// </summary>
    /// <remarks>
    /// The raw form and half precision are held to the whole form before the file is written, on drawn images, at every location; that
    /// needs ONNX Runtime's native library. <see cref="ObjectDetector"/> runs all of them.
    /// </remarks>
    /// <param name="model">A fitted detector, or a chain that holds one.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="options">Form, precision and score.</param>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The score is not above 0 and at most 1.</exception>
    /// <exception cref="NotSupportedException">The detector has no such form: a Faster R-CNN no raw one, one of low precision none in half
    /// precision, the raw one none with a score.</exception>
    /// <exception cref="InvalidOperationException">What was made does not agree with the whole form; the message gives the figures.
    /// </exception>
    /// <exception cref="DllNotFoundException">The application lacks ONNX Runtime's native library.</exception>
    public static void SaveOnnx(this ITransformer model, string path, OnnxExportOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        AtomicFile.Write(path, ExportedForm.Of(FittedDetectors.In(model), options).ToBytes());
    }

    /// <summary>
    /// Writes a report for whoever decides whether to ship the model: one HTML file with everything in it, no network, light and dark.
    /// With a test set it shows accuracy, speed, curves, errors and pictures; a model that this library trained brings its training
    /// along (losses, validation, settings, data), also after ML.NET has saved and loaded it.
    /// </summary>
    /// <param name="model">A fitted detector, or a chain that holds one.</param>
    /// <param name="path">
    /// The file to write, and beside it one of its name that ends in .json, with the figures. Each appears whole or not at all.
    /// </param>
    /// <param name="options">Test images, and models to show beside this one.</param>
    /// <exception cref="ArgumentException">A model holds no detector of this library, or several; or the test set lacks a
    /// column.</exception>
    public static void SaveReport(this ITransformer model, string path, DetectorReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ReportFiles.Write(path, ModelReporter.Make(model, options ?? new DetectorReportOptions()));
    }

    /// <summary>Writes a report of several detectors side by side, each measured before on the test set of the options.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="path">
    /// The file to write, and beside it one of its name that ends in .json, with the figures. Each appears whole or not at all.
    /// </param>
    /// <param name="detectors">The detectors, in the order in which they are shown.</param>
    /// <param name="options">Heading and test images; its models are left out.</param>
    /// <exception cref="ArgumentException">There is no detector, or the test set lacks a column.</exception>
    public static void SaveReport(
        this MLContext mlContext, string path, IReadOnlyList<ReportedDetector> detectors, DetectorReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(detectors);
        ReportFiles.Write(path, ModelReporter.Make(detectors, options ?? new DetectorReportOptions()));
    }
}
