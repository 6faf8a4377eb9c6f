package dev.graft.server.backbones;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A batch between two blocks. Used by one thread at a time. */
public final class BatchState implements AutoCloseable {
  private final Scope constants;
  private final long[] lengths;
  private final List<Tensor> rows = new ArrayList<>();
  private final int layer;
  private Scope scope;

  /** The hidden states, then what is computed once for a batch: rotary angles, masks. */
  private final List<Tensor> tensors = new ArrayList<>();

  /**
   * Takes over what a program has embedded.
   *
   * @param owner scope of what follows; the caller closes it
   * @param embedded the hidden states first
   * @param layer how many blocks the batch is to pass
   */
  static BatchState of(Scope owner, BatchInputs inputs, List<Tensor> embedded, int layer) {
    return new BatchState(owner, inputs, embedded, layer);
  }

  private BatchState(Scope owner, BatchInputs inputs, List<Tensor> embedded, int layer) {
    this.lengths = inputs.lengths();
    this.layer = layer;
    this.constants = Scope.open(owner.device());
    this.scope = Scope.open(owner.device());
    tensors.add(embedded.get(0).in(scope));
    embedded.subList(1, embedded.size()).forEach(tensor -> tensors.add(tensor.in(constants)));
    inputs.rows().forEach(tensor -> rows.add(tensor.in(constants)));
  }

  /** {@code [tokens, hidden]}; after the last block {@code [rows, hidden]}. */
  Tensor hidden() {
    return tensors.get(0);
  }

  /** Of each sequence. */
  long[] lengths() {
    return lengths;
  }

  /** Numbers of the tokens whose hidden states are asked for; nothing where those of all. */
  List<Tensor> rows() {
    return rows;
  }

  int layer() {
    return layer;
  }

  /** The hidden states, and what is the same for every block. */
  List<Tensor> tensors() {
    return tensors;
  }

  /** Goes on with hidden states of another shape. */
  void keep(Tensor hidden) {
    Scope before = scope;
    scope = Scope.open(constants.device());
    try (before) {
      tensors.set(0, hidden.in(scope));
    }
  }

  @Override
  public void close() {
    scope.close();
    constants.close();
  }
}
