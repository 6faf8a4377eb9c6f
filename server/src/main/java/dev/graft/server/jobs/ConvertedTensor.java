package dev.graft.server.jobs;

import dev.graft.server.checkpoints.TensorEntry;
import java.util.List;

/**
 * A tensor of the source with what became of it.
 *
 * @param entries where all that is stored of it is
 */
record ConvertedTensor(PlannedTensor tensor, List<TensorEntry> entries, ErrorSums errors) {
  ConvertedTensor {
    entries = List.copyOf(entries);
  }

  long bytes() {
    return entries.stream().mapToLong(TensorEntry::bytes).sum();
  }
}
