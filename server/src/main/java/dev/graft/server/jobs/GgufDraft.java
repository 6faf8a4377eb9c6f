package dev.graft.server.jobs;

import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.GgufTensor;
import dev.graft.server.checkpoints.GgufWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.GgmlEncoding;
import dev.graft.server.quantizing.GgmlWeight;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file whose header is written. Tensors are encoded piece by piece into their places, and
 * read back from there, so that the reported error is that of what is on the disk.
 */
final class GgufDraft implements ResultDraft {
  private final GgufWriter writer;
  private final Map<String, GgufForm.Place> places;
  private final SourceReader reader;

  /**
   * @param places by the source's names
   */
  GgufDraft(GgufWriter writer, Map<String, GgufForm.Place> places, SourceReader reader) {
    this.writer = writer;
    this.places = Map.copyOf(places);
    this.reader = reader;
  }

  @Override
  public ConvertedTensor convert(PlannedTensor tensor) throws IOException {
    GgufForm.Place place = places.get(tensor.name());
    TensorEntry entry = writer.place(place.name());
    ErrorSums errors = new ErrorSums();
    int piece = (int) Math.min(SourceValues.MOST_AT_ONCE, tensor.values());
    float[] values = new float[piece];
    long written = 0;
    try (SourceValues source = open(tensor, place)) {
      for (long from = 0; from < tensor.values(); from += piece) {
        int count = (int) Math.min(piece, tensor.values() - from);
        source.read(from, values, count);
        float[] originals = count == piece ? values : Arrays.copyOf(values, count);
        ByteBuffer encoded = encode(place.type(), cast(tensor.type(), originals));
        int bytes = encoded.remaining();
        writer.write(place.name(), written, encoded);
        errors.add(originals, readBack(place.type(), entry.part(written, bytes)), count);
        written += bytes;
      }
    }
    return new ConvertedTensor(tensor, List.of(entry), errors);
  }

  private SourceValues open(PlannedTensor tensor, GgufForm.Place place) throws IOException {
    SourceValues source = reader.open(tensor);
    return place.interleavedHeads() == 0
        ? source
        : new InterleavedRows(
            source, tensor.shape()[0], tensor.shape()[1], place.interleavedHeads());
  }

  /** Opened anew each time, so that what was written since is seen. */
  private float[] readBack(GgmlType type, TensorEntry part) {
    try (Scope scope = Scope.open(reader.device())) {
      GgufTensor tensor = new GgufTensor(part, type, 0);
      return GgmlWeight.of(tensor, tensor.shape())
          .decode(scope, new TensorFiles(scope, reader.tensors()), DType.F32)
          .toFloats();
    }
  }

  private static float[] cast(StoredType type, float[] values) {
    if (type == StoredType.F32) {
      return values;
    }
    float[] cast = values.clone();
    FloatValues.round(type, cast, cast.length);
    return cast;
  }

  private static ByteBuffer encode(GgmlType type, float[] values) {
    if (type.plain().isEmpty()) {
      return GgmlEncoding.of(type).encode(values);
    }
    StoredType plain = type.plain().get();
    ByteBuffer bytes = buffer(plain, values.length);
    FloatValues.write(plain, values, values.length, bytes);
    return bytes.flip();
  }

  private static ByteBuffer buffer(StoredType type, int values) {
    return ByteBuffer.allocate(values * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes a tensor that the source does not have. */
  void writeFloats(String name, float[] values) throws IOException {
    writer.write(name, 0, encode(GgmlType.F32, values));
  }

  @Override
  public void finish(List<ConvertedTensor> converted) throws IOException {
    writer.finish();
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
