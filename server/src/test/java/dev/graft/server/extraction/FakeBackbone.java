package dev.graft.server.extraction;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.backbones.Rows;
import dev.graft.server.backbones.TokenBatch;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A backbone whose hidden states are token ids, and whose memory runs out as it is told. */
final class FakeBackbone implements Backbone {
  private final AtomicInteger batches = new AtomicInteger();
  private final AtomicInteger loads = new AtomicInteger();

  /** Larger batches do not fit. */
  int mostItems = Integer.MAX_VALUE;

  /** Whether the weights do. */
  boolean fits = true;

  static FeatureSpec spec(Pooling pooling) {
    return new FeatureSpec(pooling, 1, false, ComputeDtype.FP32, 128, false);
  }

  int batches() {
    return batches.get();
  }

  int loads() {
    return loads.get();
  }

  @Override
  public BackboneInfo info() {
    return new BackboneInfo("fake", 2, 1, 1000, 2, 128, true, 1, 1, 4, "digest");
  }

  @Override
  public void load(ComputeDtype dtype) {
    loads.incrementAndGet();
    if (!fits) {
      throw outOfMemory();
    }
  }

  @Override
  public Tensor hiddenStates(Scope scope, TokenBatch batch, int layer, ComputeDtype dtype) {
    batches.incrementAndGet();
    if (batch.size() > mostItems) {
      throw outOfMemory();
    }
    List<Long> ids = new ArrayList<>();
    int start = 0;
    for (int length : batch.lengths()) {
      int from = batch.rows() == Rows.LAST ? start + length - 1 : start;
      int to = batch.rows() == Rows.FIRST ? start + 1 : start + length;
      Arrays.stream(batch.ids(), from, to).forEach(ids::add);
      start += length;
    }
    float[] values = new float[2 * ids.size()];
    for (int i = 0; i < ids.size(); i++) {
      values[2 * i] = ids.get(i);
    }
    return scope.floats(values, ids.size(), 2);
  }

  private static GraftException outOfMemory() {
    return GraftException.of(
        GraftException.Category.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "No memory, on purpose.");
  }

  @Override
  public String programText(ComputeDtype dtype) {
    return "";
  }

  @Override
  public void close() {}
}
