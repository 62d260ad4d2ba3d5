// Finds the code that a saved model names: the mappings of other assemblies, by their contracts.
using System.Reflection;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Runtime;

public sealed class ComponentCatalog
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Type> _factories = [];
    private readonly HashSet<Assembly> _assemblies = [];

    internal ComponentCatalog()
    {
    }

    public void RegisterAssembly(Assembly assembly, bool throwOnError = true)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        lock (_gate)
        {
            if (!_assemblies.Add(assembly)) return;
            foreach (Type type in assembly.GetTypes())
            {
                foreach (ExtensionBaseAttribute extension in type.GetCustomAttributes<ExtensionBaseAttribute>())
                {
                    if (_factories.TryAdd(extension.ContractName, type) || _factories[extension.ContractName] == type || !throwOnError) continue;
                    throw new InvalidOperationException($"Two types have the contract '{extension.ContractName}': {_factories[extension.ContractName]} and {type}.");
                }
            }
        }
    }

    /// <summary>A new factory for a contract.</summary>
    /// <exception cref="InvalidOperationException">No registered assembly has it.</exception>
    internal ICustomMappingFactory CreateFactory(string contractName)
    {
        Type type;
        lock (_gate)
        {
            if (!_factories.TryGetValue(contractName, out type))
            {
                throw new InvalidOperationException(
                    $"No registered assembly has a factory for the contract '{contractName}': mark it with CustomMappingFactoryAttribute and reference its assembly.");
            }
        }

        return Activator.CreateInstance(type, nonPublic: true) as ICustomMappingFactory
            ?? throw new InvalidOperationException($"{type}, marked with the contract '{contractName}', is no CustomMappingFactory.");
    }
}
