package dev.graft.server.backbones;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.Arrays;

/**
 * A batch as programs take it.
 *
 * @param ids {@code [tokens]} of all sequences
 * @param types likewise
 * @param lengths of each sequence
 */
record BatchInputs(Tensor ids, Tensor types, long[] lengths) {
  static BatchInputs of(Scope scope, TokenBatch batch) {
    long tokens = batch.ids().length;
    long[] types = batch.typeIds() == null ? new long[batch.ids().length] : batch.typeIds();
    return new BatchInputs(
        scope.longs(batch.ids(), tokens),
        scope.longs(types, tokens),
        Arrays.stream(batch.lengths()).asLongStream().toArray());
  }
}
