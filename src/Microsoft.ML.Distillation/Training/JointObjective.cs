using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

// L = α · L_teacher(labels) + L_student(labels, teacher)
//
// Scheme A of Mishra and Marr, Apprentice (ICLR 2018), equation 1: α H(y, p_T) + β H(y, p_A) + γ H(z_T, p_A). No gradient of the last
// term reaches the teacher: it learns from the labels alone.

/// <summary>The loss of a student and of the teacher that is trained with it; its formula stands at the top of the file.</summary>
internal sealed class JointObjective : IObjective
{
    private readonly IObjective _student;
    private readonly IObjective _teacher;
    private readonly Device _device;
    private readonly double _teacherWeight;
    private readonly double _teacherRateShare;
    private readonly Tensor[] _teacherParameters;

    /// <param name="student">The student's loss, with the teacher as its teacher.</param>
    /// <param name="teacher">
    /// The teacher's loss, from labels alone; of the detector in the <see cref="JointTeacher"/> whose views are to come.
    /// </param>
    /// <param name="teacherWeight">α.</param>
    /// <param name="teacherRateShare">
    /// The teacher's learning rate, as a share of the student's: what is right for a small network is too much for a large one.
    /// </param>
    public JointObjective(IObjective student, IObjective teacher, double teacherWeight, double teacherRateShare, Device device)
    {
        (_student, _teacher, _teacherWeight, _teacherRateShare, _device) = (student, teacher, teacherWeight, teacherRateShare, device);
        _teacherParameters = [.. teacher.Student.parameters()];
        Extras = [.. student.Extras, teacher.Student, .. teacher.Extras];
        Description = string.Create(
            CultureInfo.InvariantCulture, $"{student.Description}; jointly (α {teacherWeight}, {teacherRateShare:0.####} of the rate) with "
                + $"{Brief(teacher.Student.Describe())}, {teacher.Description}");
    }

    public Detector Student => _student.Student;

    public IReadOnlyList<nn.Module> Extras { get; }

    public string Summary => string.Create(CultureInfo.InvariantCulture,
        $"{_student.Summary}; together with its teacher, whose loss has the weight {_teacherWeight}");

    public string Description { get; }

    // It trains on the images of the view.
    public bool AsksTeacher => true;

    public double Progress
    {
        set => (_student.Progress, _teacher.Progress) = (value, value);
    }

    public void Tell(Action<string> say) => _student.Tell(say);

    public double RateShareOf(nn.Module module) => module == _teacher.Student || _teacher.Extras.Contains(module) ? _teacherRateShare : 1;

    public IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher)
    {
        var view = (JointTeacher.JointView)teacher!;
        // First the answers of a teacher in evaluation mode, frozen also where its head runs on the student's maps; then its own loss.
        foreach (Tensor parameter in _teacherParameters) parameter.requires_grad_(false);
        IReadOnlyList<LossTerm> learned = _student.Compute(annotations, images, view);
        foreach (Tensor parameter in _teacherParameters) parameter.requires_grad_(true);
        _teacher.Student.train();
        IEnumerable<LossTerm> own = _teacher.Compute(annotations, view.Images.to(_device), null)
            .Select(term => new LossTerm($"teacher.{term.Name}", term.Value, _teacherWeight * term.Weight));
        return [.. learned, .. own];
    }

    public void Dispose()
    {
        _student.Dispose();
        _teacher.Dispose();
    }

    /// <summary>A network's description as one can read it in a log: of a long one, which holds a graph, the hash.</summary>
    private static string Brief(string description)
    {
        const int Longest = 4000;
        return description.Length <= Longest ? description
            : $"a network of SHA-256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(description)))}";
    }
}
