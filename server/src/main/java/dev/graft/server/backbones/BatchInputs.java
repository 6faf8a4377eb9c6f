package dev.graft.server.backbones;

import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A batch as programs take it: with a few tokens more than its own, behind them, that no sequence
 * has. oneDNN makes code for each number of rows, in a millisecond, and keeps what it made for the
 * last 1,024 products; with their own numbers batches would hardly ever find theirs.
 *
 * @param ids {@code [tokens]} of all sequences, then zeros
 * @param types likewise
 * @param lengths of each sequence
 * @param rows numbers of the tokens whose hidden states are asked for; nothing where those of all
 */
record BatchInputs(Tensor ids, Tensor types, long[] lengths, List<Tensor> rows) {
  static BatchInputs of(Scope scope, TokenBatch batch, Kernel kernel) {
    int tokens = tokens(batch, kernel);
    long[] types = batch.typeIds() == null ? new long[tokens] : batch.typeIds();
    return new BatchInputs(
        scope.longs(Arrays.copyOf(batch.ids(), tokens), tokens),
        scope.longs(Arrays.copyOf(types, tokens), tokens),
        Arrays.stream(batch.lengths()).asLongStream().toArray(),
        batch.rows() == Rows.ALL
            ? List.of()
            : List.of(scope.longs(batch.rows().numbers(batch.lengths()), batch.size())));
  }

  /** The next of 16 numbers between powers of two. */
  static int tokens(TokenBatch batch, Kernel kernel) {
    int own = batch.ids().length;
    if (kernel == Kernel.FBGEMM) {
      return own; // its scales are those of all rows
    }
    int step = Math.max(1, Integer.highestOneBit(own) / 16);
    return (own + step - 1) / step * step;
  }
}
