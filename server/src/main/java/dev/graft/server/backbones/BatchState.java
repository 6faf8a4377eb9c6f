package dev.graft.server.backbones;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A batch between two blocks. Used by one thread at a time. */
public final class BatchState implements AutoCloseable {
  private final Scope constants;
  private final long[] lengths;
  private Scope scope;

  /** The hidden states, then what is computed once for a batch: rotary angles, masks. */
  private final List<Tensor> tensors = new ArrayList<>();

  /**
   * Takes over what a program has embedded.
   *
   * @param embedded the hidden states first; the caller closes their scope
   * @param lengths of each sequence
   */
  static BatchState of(Scope owner, List<Tensor> embedded, long[] lengths) {
    return new BatchState(owner, embedded, lengths);
  }

  private BatchState(Scope owner, List<Tensor> embedded, long[] lengths) {
    this.lengths = lengths;
    this.constants = Scope.open(owner.device());
    this.scope = Scope.open(owner.device());
    tensors.add(embedded.get(0).in(scope));
    embedded.subList(1, embedded.size()).forEach(tensor -> tensors.add(tensor.in(constants)));
  }

  /** {@code [tokens, hidden]}. */
  Tensor hidden() {
    return tensors.get(0);
  }

  /** Of each sequence. */
  long[] lengths() {
    return lengths;
  }

  /** The hidden states, and what is the same for every block. */
  List<Tensor> tensors() {
    return tensors;
  }

  /** What computes the next hidden states. */
  interface Step {
    Tensor apply(Scope next);
  }

  void advance(Step step) {
    Scope next = Scope.open(constants.device());
    try {
      tensors.set(0, step.apply(next));
    } catch (Throwable e) { // whatever it is, nobody else knows of the scope
      next.close();
      throw e;
    }
    scope.close();
    scope = next;
  }

  @Override
  public void close() {
    scope.close();
    constants.close();
  }
}
