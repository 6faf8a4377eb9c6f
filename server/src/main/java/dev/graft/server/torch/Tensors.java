package dev.graft.server.torch;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What is done with tensors outside any model: mapping files, casting, moving. */
public final class Tensors implements AutoCloseable {
  private final TorchDevice device;
  private final Program program;

  private Tensors(TorchDevice device) {
    this.device = device;
    this.program =
        Program.assemble(
            device, ProgramText.of(Tensors.class, "tensors.py", Map.of("device", device.name())));
  }

  public static Tensors on(TorchDevice device) {
    return new Tensors(device);
  }

  /**
   * Maps a whole file as one vector, in the CPU's memory: no copy, and pages are shared with other
   * processes. The file must not shrink while it is mapped.
   */
  public Tensor map(Scope scope, Path file, long elements, DType dtype) {
    return program.call(scope, "map_file", file.toString(), elements, dtype.scalarType());
  }

  /** A view of {@code vector} from element {@code start}, with the given shape. */
  public Tensor part(Scope scope, Tensor vector, long start, long... shape) {
    return program.call(scope, "part", vector, start, shape);
  }

  /** Puts a tensor's values into another one of its shape and type. */
  public void copy(Tensor from, Tensor to) {
    try (Scope same = Scope.open(device)) {
      program.call(same, "copied", from, to);
    }
  }

  /** The tensor in another type; itself if it is of that type. */
  public Tensor cast(Scope scope, Tensor tensor, DType dtype) {
    return program.call(scope, "to_dtype", tensor, dtype.scalarType());
  }

  /** The tensor on the device; itself if it is there. */
  public Tensor toDevice(Scope scope, Tensor tensor) {
    return device.isCuda() ? program.call(scope, "to_device", tensor) : tensor.in(scope);
  }

  /** A contiguous copy of a matrix's transpose. */
  public Tensor transposed(Scope scope, Tensor matrix) {
    return program.call(scope, "transposed", matrix);
  }

  /** Rows of a matrix by number. */
  public Tensor rows(Scope scope, Tensor matrix, Tensor index) {
    return program.call(scope, "rows", matrix, index);
  }

  /** The tensors, one after the other along the first dimension. */
  public Tensor concatenated(Scope scope, List<Tensor> parts) {
    return program.call(scope, "concatenated", parts);
  }

  @Override
  public void close() {
    program.close();
  }
}
