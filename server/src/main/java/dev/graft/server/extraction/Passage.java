package dev.graft.server.extraction;

import dev.graft.server.backbones.BatchState;
import java.util.List;

/** A batch's way through the blocks. */
final class Passage implements AutoCloseable {
  private final List<TokenizedItem> batch;
  private BatchState state;

  Passage(List<TokenizedItem> batch) {
    this.batch = batch;
  }

  List<TokenizedItem> batch() {
    return batch;
  }

  synchronized BatchState state() {
    return state;
  }

  synchronized void begin(BatchState embedded) {
    state = embedded;
  }

  /** Frees what it holds, if anything. */
  @Override
  public synchronized void close() {
    if (state != null) {
      state.close();
      state = null;
    }
  }
}
