using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>
/// Marks an <see cref="MLImage"/> member as a column of images of any size. ML.NET's own attribute cannot say that:
/// without arguments it fails, with arguments it fixes the size.
/// </summary>
internal sealed class AnySizeImageAttribute : DataViewTypeAttribute
{
    /// <inheritdoc/>
    public override void Register() => DataViewTypeManager.Register(new ImageDataViewType(), typeof(MLImage), this);

    /// <inheritdoc/>
    public override bool Equals(DataViewTypeAttribute? other) => other is AnySizeImageAttribute;

    /// <inheritdoc/>
    public override int GetHashCode() => typeof(AnySizeImageAttribute).GetHashCode();
}
