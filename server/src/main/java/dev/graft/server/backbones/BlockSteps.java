package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;

/**
 * A backbone's computation in one type, block by block: for weights that are made when they are
 * needed, since all of them together would take too much memory. Many batches pass a block while it
 * is there. The bytes of the result are those of {@link Backbone#hiddenStates}. May be used on
 * several threads at once, until the backbone is closed.
 */
public interface BlockSteps {
  /**
   * Embeds a batch.
   *
   * @param layer how many blocks it is to pass
   * @throws GraftException INVALID_ARGUMENT TOKEN_OUT_OF_RANGE or ITEM_TOO_LONG; RESOURCE_EXHAUSTED
   *     OUT_OF_MEMORY
   */
  BatchState embed(TokenBatch batch, int layer);

  /**
   * Makes a block's weights, on the calling thread: reads them, and decodes what is quantized.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT where the files are not as they
   *     were; RESOURCE_EXHAUSTED OUT_OF_MEMORY
   */
  Block block(int index);

  /**
   * The hidden states of a batch that has passed its blocks.
   *
   * @return {@code [rows, hidden]}, owned by {@code scope}
   */
  Tensor finish(Scope scope, BatchState state);

  /** The weights of one block; closing frees them. Batches may pass on several threads at once. */
  interface Block extends AutoCloseable {
    /** Replaces the hidden states by those after this block. */
    void pass(BatchState state);

    @Override
    void close();
  }
}
