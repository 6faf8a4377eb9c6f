package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.torch.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A backbone's tensors on the device, in the type of a computation.
 *
 * @param scope owns them all
 * @param outside tensors outside the blocks
 * @param blocks tensors of each block
 */
record DeviceParameters(Scope scope, Weights outside, List<Weights> blocks)
    implements AutoCloseable {

  /**
   * Maps the files. On the CPU a tensor that is stored as it is computed with is a view of its
   * file; others are converted, once.
   */
  static DeviceParameters load(
      Parameters parameters, DType dtype, Tensors tensors, TorchDevice device) {
    Scope scope = Scope.open(device);
    try {
      Loader loader = new Loader(dtype, tensors, scope, new HashMap<>());
      List<Weights> blocks = new ArrayList<>();
      for (Map<String, Found> block : parameters.blocks()) {
        blocks.add(loader.weights(block));
      }
      return new DeviceParameters(scope, loader.weights(parameters.outside()), blocks);
    } catch (Throwable e) { // whatever it is, what was loaded so far must not stay
      scope.close();
      throw e;
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  private record Loader(
      DType dtype, Tensors tensors, Scope scope, Map<String, Tensor> mappedFiles) {
    Weights weights(Map<String, Found> found) {
      Map<String, Tensor> loaded = new LinkedHashMap<>();
      found.forEach((name, place) -> loaded.put(name, load(place)));
      return Weights.of(scope, loaded);
    }

    private Tensor load(Found found) {
      TensorEntry entry = found.entry();
      long[] shape = entry.shape();
      // A transposed entry's shape is that of what it means, not that of its bytes.
      long[] stored = entry.transposed() ? new long[] {shape[1], shape[0]} : shape;
      // On a GPU the file's side of the copy is needed no longer than the copy takes, but a view of
      // a mapped file holds no memory of its own.
      Tensor tensor =
          entry.aligned()
              ? tensors.part(
                  scope,
                  mapped(entry.file(), found.dtype()),
                  entry.offset() / found.dtype().bytes(),
                  stored)
              : aligned(entry, found.dtype(), stored);
      tensor = tensors.toDevice(scope, tensor);
      if (found.turned()) {
        tensor = tensors.transposed(scope, tensor);
      }
      return tensors.cast(scope, tensor, dtype);
    }

    private Tensor mapped(Path file, DType stored) {
      return mappedFiles.computeIfAbsent(
          stored + " " + file,
          key -> {
            try {
              return tensors.map(scope, file, Files.size(file) / stored.bytes(), stored);
            } catch (IOException e) {
              throw unreadable(file, e);
            }
          });
    }

    /** Few files begin a tensor amid an element; it is copied to one that does not. */
    private Tensor aligned(TensorEntry entry, DType stored, long[] shape) {
      try {
        Path copy = Files.createTempFile("graft-tensor", ".bin");
        try {
          copy(entry, copy);
          Tensor vector = tensors.map(scope, copy, entry.bytes() / stored.bytes(), stored);
          return tensors.part(scope, vector, 0, shape);
        } finally {
          Files.delete(copy); // what is mapped stays
        }
      } catch (IOException e) {
        throw unreadable(entry.file(), e);
      }
    }

    private static void copy(TensorEntry entry, Path copy) throws IOException {
      try (FileChannel from = FileChannel.open(entry.file(), StandardOpenOption.READ);
          FileChannel to = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        for (long done = 0; done < entry.bytes(); ) {
          buffer.clear().limit((int) Math.min(buffer.capacity(), entry.bytes() - done));
          int read = from.read(buffer, entry.offset() + done);
          if (read < 0) {
            throw new IOException("the file was cut while it was in use");
          }
          to.write(buffer.flip());
          done += read;
        }
      }
    }

    private static GraftException unreadable(Path file, IOException e) {
      return GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT", file + ": cannot be read: " + e.getMessage())
          .with("file", file)
          .causedBy(e);
    }
  }
}
