package dev.graft.server.extraction;

import dev.graft.server.GraftException;
import dev.graft.server.Version;
import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.BatchState;
import dev.graft.server.backbones.BlockSteps;
import dev.graft.server.backbones.TokenBatch;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Computes features of batches, or takes them from the cache. */
final class BatchComputation {
  private static final System.Logger LOG = System.getLogger(BatchComputation.class.getName());

  private final Extraction extraction;
  private final Backbone backbone;
  private final FeatureSpec spec;
  private final byte[] keyPrefix;

  BatchComputation(Extraction extraction, Backbone backbone, FeatureSpec spec) {
    this.extraction = extraction;
    this.backbone = backbone;
    this.spec = spec;
    this.keyPrefix =
        BatchKey.prefix(
            spec,
            List.of(
                backbone.info().digest(),
                backbone.programText(spec.computeDtype()),
                extraction.pooler().text(),
                extraction.device().fingerprint(),
                Version.CURRENT));
  }

  /** Number of values of an item's feature. */
  int values(TokenizedItem item) {
    int rows = spec.pooling() == Pooling.NONE ? item.ids().length : 1;
    return rows * backbone.info().hiddenSize();
  }

  /**
   * Features of a batch: {@code [batch, size]}, or with {@link Pooling#NONE} {@code [sum of
   * lengths, size]}. Not to be changed.
   */
  float[] features(List<TokenizedItem> batch) {
    Optional<float[]> known = known(batch);
    if (known.isPresent()) {
      return known.get();
    }
    // Here and not in the attempt: what does not fit now will not fit for half a batch either.
    backbone.load(spec.computeDtype());
    Optional<float[]> whole = attempt(batch);
    // Halves differ from the whole in their last bits, so the cache must not repeat them.
    whole.ifPresent(values -> remember(batch, values));
    return whole.orElseGet(() -> halves(batch));
  }

  /** The backbone's computation block by block, where it must be computed with so. */
  Optional<BlockSteps> steps() {
    return backbone.steps(spec.computeDtype());
  }

  /** How many blocks a batch passes. */
  int depth() {
    return spec.layer();
  }

  /** A batch's features from the cache. */
  Optional<float[]> known(List<TokenizedItem> batch) {
    return extraction.cache().find(BatchKey.of(keyPrefix, batch));
  }

  private void remember(List<TokenizedItem> batch, float[] values) {
    extraction.cache().put(BatchKey.of(keyPrefix, batch), values);
  }

  /** Features of a batch that has passed the blocks. */
  float[] finish(BlockSteps steps, BatchState state, List<TokenizedItem> batch) {
    try (Scope scope = Scope.open(extraction.device())) {
      float[] values = pool(scope, steps.finish(scope, state), tokens(batch));
      remember(batch, values);
      return values;
    }
  }

  TokenBatch tokens(List<TokenizedItem> batch) {
    List<int[]> typeIds = new ArrayList<>();
    batch.forEach(item -> typeIds.add(item.typeIds()));
    return TokenBatch.of(
        batch.stream().map(TokenizedItem::ids).toList(), typeIds, spec.pooling().rows());
  }

  private float[] pool(Scope scope, Tensor hidden, TokenBatch tokens) {
    return extraction
        .pooler()
        .pool(scope, hidden, tokens.lengths(), spec.pooling(), spec.normalize())
        .toFloats();
  }

  private float[] halves(List<TokenizedItem> batch) {
    LOG.log(
        System.Logger.Level.WARNING,
        "The memory of device {0} does not suffice for a batch of {1} items; they are computed in halves, and their"
            + " features may differ in the last bits from those of another run. Use fewer tokens for each batch.",
        extraction.device().name(),
        batch.size());
    int middle = batch.size() / 2;
    float[] first = part(batch.subList(0, middle));
    float[] second = part(batch.subList(middle, batch.size()));
    float[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private float[] part(List<TokenizedItem> batch) {
    return attempt(batch).orElseGet(() -> halves(batch));
  }

  /** Empty when the device's memory does not suffice for so many items. */
  private Optional<float[]> attempt(List<TokenizedItem> batch) {
    TokenBatch tokens = tokens(batch);
    try (Scope scope = Scope.open(extraction.device())) {
      return Optional.of(
          pool(
              scope,
              backbone.hiddenStates(scope, tokens, spec.layer(), spec.computeDtype()),
              tokens));
    } catch (GraftException e) {
      if (!e.reason().equals("OUT_OF_MEMORY") || batch.size() == 1) {
        throw e;
      }
      return Optional.empty();
    }
  }
}
