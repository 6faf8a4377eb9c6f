package dev.graft.server.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.nio.FloatBuffer;

/** A handle to a tensor, owned by a {@link Scope}. */
public final class Tensor {
  private final Scope scope;
  private final IValue value;
  private PtNDArray array;

  Tensor(Scope scope, IValue value) {
    this.scope = scope;
    this.value = value;
  }

  /** Size of each dimension, slowest first. */
  public long[] shape() {
    return array().getShape().getShape();
  }

  /**
   * The elements in row-major order; for a tensor of 32-bit floats only, of less than 2^29
   * elements.
   */
  public float[] toFloats() {
    return array().toFloatArray();
  }

  /** The same into an array, which has at least this length. */
  public void copyTo(float[] target) {
    FloatBuffer values =
        array().toByteBuffer(true).asFloatBuffer(); // on a CPU, the tensor's memory
    values.get(target, 0, values.remaining());
  }

  /** The elements in row-major order; for a tensor of 64-bit integers only. */
  public long[] toLongs() {
    return array().toLongArray();
  }

  /**
   * The tensor itself in another scope, sharing memory: it outlives this scope if that one does.
   */
  public Tensor in(Scope other) {
    try (IValue list = IValue.listFrom(array())) {
      return other.adopt(list.toIValueArray()[0]);
    }
  }

  /**
   * A copy in {@code other} of a tensor of 32-bit floats or integers that autograd may save, as
   * results of programs may not be.
   */
  public Tensor copyForGradients(Scope other) {
    Torch.prepareThread();
    try (PtNDArray copy = (PtNDArray) array().duplicate()) {
      return other.adopt(IValue.from(copy));
    }
  }

  Scope scope() {
    return scope;
  }

  IValue value() {
    return value;
  }

  /** The handle as DJL knows it. Asking it for its type is fatal for bfloat16. */
  synchronized PtNDArray array() {
    if (array == null) {
      array = value.toTensor(scope.manager());
    }
    return array;
  }
}
