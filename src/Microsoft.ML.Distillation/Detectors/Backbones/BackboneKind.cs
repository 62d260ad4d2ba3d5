namespace Microsoft.ML.Distillation;

/// <summary>The families of backbone networks.</summary>
public enum BackboneKind
{
    /// <summary>A few 3×3 convolutions.</summary>
    Plain,

    /// <summary>ShuffleNetV2 (Ma et al. 2018) at half width.</summary>
    ShuffleNetV2_x0_5,

    /// <summary>ShuffleNetV2 (Ma et al. 2018).</summary>
    ShuffleNetV2_x1_0,

    /// <summary>ResNet-18 (He et al. 2015).</summary>
    ResNet18,

    /// <summary>ResNet-34 (He et al. 2015).</summary>
    ResNet34,

    /// <summary>ResNet-50 (He et al. 2015).</summary>
    ResNet50,

    /// <summary>MobileNetV3-Small (Howard et al. 2019).</summary>
    MobileNetV3Small,

    /// <summary>MobileNetV3-Large (Howard et al. 2019).</summary>
    MobileNetV3Large,

    /// <summary>AlexNet (Krizhevsky et al. 2012).</summary>
    AlexNet,

    /// <summary>VGG-M, CNN-M-1024 (Chatfield et al. 2014).</summary>
    VggM,

    /// <summary>VGG16 (Simonyan and Zisserman 2014).</summary>
    Vgg16,
}
