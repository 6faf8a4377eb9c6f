package dev.graft.server.backbones;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.Arrays;

/**
 * A batch as programs take it.
 *
 * @param ids {@code [batch, longest]}
 * @param types likewise
 * @param lengths {@code [batch]}
 * @param ragged whether any row has padding
 */
record BatchInputs(Tensor ids, Tensor types, Tensor lengths, boolean ragged) {
  static BatchInputs of(Scope scope, TokenBatch batch) {
    long rows = batch.size();
    long width = batch.longest();
    long[] types = batch.typeIds() == null ? new long[batch.ids().length] : batch.typeIds();
    return new BatchInputs(
        scope.longs(batch.ids(), rows, width),
        scope.longs(types, rows, width),
        scope.longs(Arrays.stream(batch.lengths()).asLongStream().toArray(), rows),
        Arrays.stream(batch.lengths()).anyMatch(length -> length < batch.longest()));
  }
}
