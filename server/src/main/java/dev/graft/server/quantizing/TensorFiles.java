package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * A checkpoint's files as tensors on the device. Files are mapped whole, once for each element
 * type, and stay mapped as long as the scope that was given; on a CPU their tensors are views.
 */
public final class TensorFiles {
  private final Scope scope;
  private final Tensors tensors;

  /** By element type and file. Guarded by this. */
  private final Map<String, Tensor> mapped = new HashMap<>();

  /**
   * @param scope owns the mappings
   */
  public TensorFiles(Scope scope, Tensors tensors) {
    this.scope = scope;
    this.tensors = tensors;
  }

  /**
   * The device's name of a type in which weights are stored that are not quantized.
   *
   * @throws IllegalArgumentException unless {@link StoredType#isFloat16OrWider}
   */
  public static DType dtype(StoredType type) {
    if (!type.isFloat16OrWider()) {
      throw new IllegalArgumentException("No type of plain weights: " + type);
    }
    return DType.valueOf(type.name());
  }

  /** Operations on tensors of this device. */
  public Tensors tensors() {
    return tensors;
  }

  /**
   * The tensor as its file holds it: a transposed entry comes as [in, out].
   *
   * @param target owns the result
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT where the file cannot be read
   */
  public Tensor stored(Scope target, TensorEntry entry, DType dtype) {
    long[] shape = entry.shape();
    long[] stored = entry.transposed() ? new long[] {shape[1], shape[0]} : shape;
    Tensor tensor =
        entry.offset() % dtype.bytes() == 0
            ? tensors.part(
                target, file(entry.file(), dtype), entry.offset() / dtype.bytes(), stored)
            : aligned(target, entry, dtype, stored);
    return tensors.toDevice(target, tensor);
  }

  /**
   * The whole file as one vector of a type, in the CPU's memory: for formats that mix types within
   * a tensor. Bytes at the end that make no whole element are left out.
   */
  public synchronized Tensor file(Path file, DType dtype) {
    return mapped.computeIfAbsent(
        dtype + " " + file,
        key -> {
          try {
            return tensors.map(scope, file, Files.size(file) / dtype.bytes(), dtype);
          } catch (IOException e) {
            throw unreadable(file, e);
          }
        });
  }

  /** Few files begin a tensor amid an element; it is copied to one that does not. */
  private Tensor aligned(Scope target, TensorEntry entry, DType dtype, long[] shape) {
    try {
      Path copy = Files.createTempFile("graft-tensor", ".bin");
      try {
        try (FileChannel to = FileChannel.open(copy, StandardOpenOption.WRITE)) {
          entry.transferTo(to);
        }
        Tensor vector = tensors.map(target, copy, entry.bytes() / dtype.bytes(), dtype);
        return tensors.part(target, vector, 0, shape);
      } finally {
        Files.delete(copy); // what is mapped stays
      }
    } catch (IOException e) {
      throw unreadable(entry.file(), e);
    }
  }

  private static GraftException unreadable(Path file, IOException e) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT", file + ": cannot be read: " + e.getMessage())
        .with("file", file)
        .causedBy(e);
  }
}
