// Estimators one after the other, each fitted to what the ones before make of the data.
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML
{
    public static class LearningPipelineExtensions
    {
        public static EstimatorChain<TTrans> Append<TTrans>(
            this IEstimator<ITransformer> start, IEstimator<TTrans> estimator, TransformerScope scope = TransformerScope.Everything)
            where TTrans : class, ITransformer
        {
            ArgumentNullException.ThrowIfNull(start);
            ArgumentNullException.ThrowIfNull(estimator);
            return (start as EstimatorChain<ITransformer> ?? new EstimatorChain<ITransformer>().Append(start)).Append(estimator, scope);
        }

        public static EstimatorChain<TTrans> AppendCacheCheckpoint<TTrans>(this IEstimator<TTrans> start, IHostEnvironment env)
            where TTrans : class, ITransformer
        {
            ArgumentNullException.ThrowIfNull(start);
            return new EstimatorChain<ITransformer>().Append(start).AppendCacheCheckpoint(env);
        }

        public static TransformerChain<TTrans> Append<TTrans>(this ITransformer start, TTrans transformer) where TTrans : class, ITransformer
        {
            ArgumentNullException.ThrowIfNull(start);
            ArgumentNullException.ThrowIfNull(transformer);
            return start is TransformerChain<ITransformer> chain ? chain.Append(transformer) : new TransformerChain<TTrans>(start, transformer);
        }
    }
}

namespace Microsoft.ML.Data
{
    [Flags]
    public enum TransformerScope
    {
        None = 0,
        Training = 1 << 0,
        Testing = 1 << 1,
        Scoring = 1 << 2,
        TrainTest = Training | Testing,
        Everything = Training | Testing | Scoring,
    }

    public abstract class TrivialEstimator<TTransformer> : IEstimator<TTransformer> where TTransformer : class, ITransformer
    {
        private protected TrivialEstimator(TTransformer transformer) => Transformer = transformer;

        private protected TTransformer Transformer { get; }

        public TTransformer Fit(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            // Wrong input is found here rather than when the first row is read.
            _ = Transformer.GetOutputSchema(input.Schema);
            return Transformer;
        }

        public abstract SchemaShape GetOutputSchema(SchemaShape inputSchema);
    }

    public sealed class EstimatorChain<TLastTransformer> : IEstimator<TransformerChain<TLastTransformer>>
        where TLastTransformer : class, ITransformer
    {
        public readonly IEstimator<TLastTransformer> LastEstimator;
        private readonly IEstimator<ITransformer>[] _estimators;
        private readonly TransformerScope[] _scopes;
        private readonly bool[] _cacheAfter;

        public EstimatorChain() : this([], [], [])
        {
        }

        private EstimatorChain(IEstimator<ITransformer>[] estimators, TransformerScope[] scopes, bool[] cacheAfter)
        {
            (_estimators, _scopes, _cacheAfter) = (estimators, scopes, cacheAfter);
            LastEstimator = estimators.LastOrDefault() as IEstimator<TLastTransformer>;
        }

        public TransformerChain<TLastTransformer> Fit(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            // Wrong columns are found before anything is trained.
            _ = GetOutputSchema(SchemaShape.Create(input.Schema));
            var transformers = new ITransformer[_estimators.Length];
            IDataView view = input;
            for (int i = 0; i < _estimators.Length; i++)
            {
                transformers[i] = _estimators[i].Fit(view);
                if (i == _estimators.Length - 1) break;
                view = transformers[i].Transform(view);
                if (_cacheAfter[i]) view = new CachedView(view);
            }

            return new TransformerChain<TLastTransformer>(transformers, _scopes);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            return _estimators.Aggregate(inputSchema, (shape, estimator) => estimator.GetOutputSchema(shape));
        }

        public EstimatorChain<TNewTrans> Append<TNewTrans>(IEstimator<TNewTrans> estimator, TransformerScope scope = TransformerScope.Everything)
            where TNewTrans : class, ITransformer
        {
            ArgumentNullException.ThrowIfNull(estimator);
            return new EstimatorChain<TNewTrans>([.. _estimators, estimator], [.. _scopes, scope], [.. _cacheAfter, false]);
        }

        public EstimatorChain<TLastTransformer> AppendCacheCheckpoint(IHostEnvironment env)
        {
            if (_estimators.Length == 0 || _cacheAfter[^1]) return this;
            return new EstimatorChain<TLastTransformer>(_estimators, _scopes, [.. _cacheAfter[..^1], true]);
        }
    }
}
