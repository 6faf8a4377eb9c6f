package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.checkpoints.TensorSpool;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.WeightQuantizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes tensors of the result, one at a time on each thread. What a quantizer made is read back as
 * any reader would, so that the reported error is that of what is on the disk.
 */
final class TensorConversion {
  private final SourceReader reader;
  private final TensorSpool spool;
  private final Optional<QuantizedFormat> format;
  private final ObjectNode configuration;

  /**
   * @param format empty where nothing is quantized
   * @param configuration of the result
   */
  TensorConversion(
      SourceReader reader,
      TensorSpool spool,
      Optional<QuantizedFormat> format,
      ObjectNode configuration) {
    this.reader = reader;
    this.spool = spool;
    this.format = format;
    this.configuration = configuration;
  }

  ConvertedTensor convert(PlannedTensor tensor) throws IOException {
    if (tensor.isKept()) {
      TensorEntry entry = ((PlannedTensor.Stored) tensor.source()).entry();
      return new ConvertedTensor(tensor, List.of(entry), new ErrorSums());
    }
    try (SourceValues source = reader.open(tensor)) {
      return tensor.quantized() ? quantize(tensor, source) : cast(tensor, source);
    }
  }

  private ConvertedTensor cast(PlannedTensor tensor, SourceValues source) throws IOException {
    TensorSpool.Writer writer =
        spool.reserve(
            tensor.name(), tensor.type(), tensor.shape(), tensor.values() * tensor.type().bytes());
    ErrorSums errors = new ErrorSums();
    int piece = (int) Math.min(SourceValues.MOST_AT_ONCE, tensor.values());
    float[] values = new float[piece];
    float[] results = new float[piece];
    ByteBuffer bytes = buffer(piece * tensor.type().bytes());
    for (long from = 0; from < tensor.values(); from += piece) {
      int count = (int) Math.min(piece, tensor.values() - from);
      source.read(from, values, count);
      FloatValues.write(tensor.type(), values, count, bytes.clear());
      FloatValues.read(tensor.type(), bytes.flip(), results, count);
      errors.add(values, results, count);
      writer.write(bytes.rewind());
    }
    return new ConvertedTensor(tensor, List.of(writer.entry()), errors);
  }

  private ConvertedTensor quantize(PlannedTensor tensor, SourceValues source) throws IOException {
    long[] shape =
        tensor.turned()
            ? new long[] {tensor.shape()[1], tensor.shape()[0]}
            : tensor.shape(); // [out, in]
    List<TensorEntry> parts = new ArrayList<>();
    for (TensorData part : encode(tensor, source, shape)) {
      parts.add(spool.append(part));
    }
    Checkpoint written = Checkpoint.of(spool.directory(), configuration, parts);
    QuantizedWeight readBack =
        format
            .orElseThrow()
            .find(written, tensor.name(), shape)
            .orElseThrow(() -> new IllegalStateException(tensor.name() + " cannot be read back"));
    try (SourceValues result = reader.decoded(readBack, tensor.turned())) {
      return new ConvertedTensor(tensor, parts, ErrorSums.between(source, result, tensor.values()));
    }
  }

  private List<TensorData> encode(PlannedTensor tensor, SourceValues source, long[] shape)
      throws IOException {
    long size = tensor.values() * tensor.type().bytes();
    if (size > Integer.MAX_VALUE - 8) {
      throw GraftException.failedPrecondition(
              "UNSUPPORTED_OPTION",
              "tensor %s has %d bytes; weights of 2 GiB and more are not quantized: add %s to skip_modules"
                  .formatted(tensor.name(), size, tensor.name()))
          .with("tensor", tensor.name());
    }
    WeightQuantizer quantizer = format.orElseThrow().quantizer();
    WeightQuantizer.Values values = new RoundedValues(source, tensor.values(), tensor.type());
    return tensor.turned()
        ? quantizer.quantize(tensor.name(), turned(tensor, values, shape, (int) size))
        : quantizer.quantize(tensor.name(), tensor.type(), shape, values);
  }

  /** The whole weight, [out, in]. */
  private static TensorData turned(
      PlannedTensor tensor, WeightQuantizer.Values source, long[] shape, int bytes)
      throws IOException {
    ByteBuffer stored = buffer(bytes);
    int piece = (int) Math.min(SourceValues.MOST_AT_ONCE, tensor.values());
    float[] values = new float[piece];
    for (long from = 0; from < tensor.values(); from += piece) {
      int count = (int) Math.min(piece, tensor.values() - from);
      source.read(values, count);
      FloatValues.write(tensor.type(), values, count, stored);
    }
    int rows = (int) tensor.shape()[0];
    int columns = (int) tensor.shape()[1];
    return TensorData.of(
        tensor.name(),
        tensor.type(),
        shape,
        TensorData.transposed(stored.flip(), rows, columns, tensor.type().bytes()));
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
