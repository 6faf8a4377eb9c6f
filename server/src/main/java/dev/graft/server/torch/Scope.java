package dev.graft.server.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.util.ArrayList;
import java.util.List;

/** Owns tensors: what is made in a scope is freed when it closes. */
public final class Scope implements AutoCloseable {
  private final TorchDevice device;
  private final PtNDManager manager;
  private final List<IValue> owned = new ArrayList<>();

  private Scope(TorchDevice device) {
    this.device = device;
    Torch.engine();
    this.manager = (PtNDManager) NDManager.newBaseManager(device.djl(), "PyTorch");
  }

  public static Scope open(TorchDevice device) {
    return new Scope(device);
  }

  public TorchDevice device() {
    return device;
  }

  /** A tensor of 32-bit floats with a copy of the values, which autograd may save. */
  public Tensor floats(float[] values, long... shape) {
    return own(manager.create(values, new Shape(shape)));
  }

  /** A tensor of 64-bit integers with a copy of the values. */
  public Tensor longs(long[] values, long... shape) {
    return own(manager.create(values, new Shape(shape)));
  }

  /** DJL's arrays borrow a Java buffer; a copy owns its memory, whoever keeps a view of it. */
  private Tensor own(NDArray borrowed) {
    Torch.prepareThread();
    try (borrowed;
        PtNDArray copy = (PtNDArray) borrowed.duplicate()) {
      return adopt(IValue.from(copy));
    }
  }

  synchronized Tensor adopt(IValue value) {
    owned.add(value);
    return new Tensor(this, value);
  }

  synchronized void keep(IValue value) {
    owned.add(value);
  }

  PtNDManager manager() {
    return manager;
  }

  @Override
  public synchronized void close() {
    owned.forEach(IValue::close);
    owned.clear();
    manager.close();
  }
}
