package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Optional;

/** A frozen transformer on a device. Its methods may be called on several threads at once. */
public interface Backbone extends AutoCloseable {
  BackboneInfo info();

  /** Names of the weights that are stored quantized, as their checkpoint names them, sorted. */
  default List<String> quantizedWeights() {
    return List.of();
  }

  /**
   * Brings the weights onto the device in the type of a computation, unless they are there.
   *
   * @throws GraftException RESOURCE_EXHAUSTED OUT_OF_MEMORY
   */
  void load(ComputeDtype dtype);

  /**
   * Runs the blocks up to {@code layer}. The language-model head is never computed, nor are blocks
   * after {@code layer}, nor what in the last one is only for rows that nobody asks for.
   *
   * @param layer 0 for the output of the embeddings, k for that of block k; the last one with the
   *     final norm
   * @return hidden states {@code [rows, hidden]} in {@code dtype}, owned by {@code scope}
   */
  Tensor hiddenStates(Scope scope, TokenBatch batch, int layer, ComputeDtype dtype);

  /**
   * The same block by block, where that is how this backbone must be computed with: its weights are
   * quantized, or too large to stay in memory in this type. Then {@link #hiddenStates} makes every
   * block for one batch alone.
   *
   * @return empty where the weights are in memory
   */
  default Optional<BlockSteps> steps(ComputeDtype dtype) {
    return Optional.empty();
  }

  /**
   * What besides the checkpoint, the tokens and the layer decides the bytes of the hidden states:
   * the program's text.
   */
  String programText(ComputeDtype dtype);

  @Override
  void close();
}
