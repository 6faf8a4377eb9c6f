package dev.graft.server.backbones;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A batch as programs take it.
 *
 * @param ids {@code [tokens]} of all sequences, and of the filler
 * @param types likewise
 * @param lengths of each sequence
 * @param rows numbers of the tokens whose hidden states are asked for; nothing where those of all
 */
record BatchInputs(Tensor ids, Tensor types, long[] lengths, List<Tensor> rows) {
  static BatchInputs of(Scope scope, TokenBatch batch) {
    long tokens = batch.ids().length;
    long[] types = batch.typeIds() == null ? new long[batch.ids().length] : batch.typeIds();
    return new BatchInputs(
        scope.longs(batch.ids(), tokens),
        scope.longs(types, tokens),
        Arrays.stream(batch.lengths()).asLongStream().toArray(),
        batch.rows() == Rows.ALL
            ? List.of()
            : List.of(scope.longs(batch.rows().numbers(batch.lengths()), batch.size())));
  }
}
