package dev.graft.server.jobs;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import java.util.Arrays;

/** The values of a tensor of 32-bit floats on the device. Closing frees the tensor. */
final class DecodedValues implements SourceValues {
  private final Scope scope;
  private final Tensors tensors;
  private final Tensor vector;

  /**
   * Takes a contiguous tensor of any shape.
   *
   * @param scope owns the tensor, and is closed with this
   */
  DecodedValues(Scope scope, Tensors tensors, Tensor tensor) {
    this.scope = scope;
    this.tensors = tensors;
    long values = Arrays.stream(tensor.shape()).reduce(1, Math::multiplyExact);
    this.vector = tensors.part(scope, tensor, 0, values); // all rows, as one vector
  }

  @Override
  public void read(long from, float[] target, int count) {
    try (Scope piece = Scope.open(scope.device())) {
      tensors.part(piece, vector, from, count).copyTo(target);
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
