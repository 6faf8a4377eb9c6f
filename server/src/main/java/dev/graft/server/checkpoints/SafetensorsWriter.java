package dev.graft.server.checkpoints;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Writes safetensors files. The same tensors and metadata always give the same bytes, and those
 * that Python's {@code save_file} gives: tensors by descending type, then by name; metadata first,
 * by key; the header padded with spaces to a multiple of 8.
 */
public final class SafetensorsWriter {
  /** As Rust compares strings: by UTF-8 bytes, which is not how Java does. */
  private static final Comparator<String> BY_UTF8 =
      (a, b) ->
          Arrays.compareUnsigned(
              a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  private static final Comparator<Slot> FILE_ORDER =
      Comparator.comparing(Slot::type).reversed().thenComparing(Slot::name, BY_UTF8);

  /** Escapes as Rust's serde_json does. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
          .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
          .build();

  private static final String METADATA = "__metadata__";

  private SafetensorsWriter() {}

  /** A tensor of the file, and what writes its bytes. */
  private record Slot(String name, StoredType type, long[] shape, long bytes, Source source) {
    static Slot of(TensorData tensor) {
      ByteBuffer bytes = tensor.bytes();
      return new Slot(
          tensor.name(),
          tensor.type(),
          tensor.shape(),
          bytes.remaining(),
          channel -> writeFully(channel, bytes));
    }

    static Slot of(TensorEntry tensor) {
      if (tensor.transposed()) {
        throw new IllegalArgumentException(tensor.name() + " would have to be turned round");
      }
      return new Slot(
          tensor.name(), tensor.type(), tensor.shape(), tensor.bytes(), tensor::transferTo);
    }
  }

  @FunctionalInterface
  private interface Source {
    void writeTo(WritableByteChannel channel) throws IOException;
  }

  /**
   * The file as bytes.
   *
   * @throws IllegalArgumentException if two tensors have one name
   */
  public static byte[] toBytes(Collection<TensorData> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      write(tensors, metadata, out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return out.toByteArray();
  }

  /** Writes to a stream, which stays open. */
  public static void write(
      Collection<TensorData> tensors, Map<String, String> metadata, OutputStream out)
      throws IOException {
    writeTo(tensors, metadata, Channels.newChannel(out));
  }

  /**
   * Writes a file. It appears under its name only when it is whole and on the disk: it is written
   * beside and renamed.
   */
  public static void write(Collection<TensorData> tensors, Map<String, String> metadata, Path file)
      throws IOException {
    Path target = file.toAbsolutePath();
    // Not createTempFile, whose files only their owner can read.
    Path partial =
        target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".partial");
    try {
      try (FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        writeTo(tensors, metadata, channel);
        channel.force(true);
      }
      Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  /** Writes tensors that lie in other files, copying piece by piece. */
  static void writeEntries(
      Collection<TensorEntry> tensors, Map<String, String> metadata, WritableByteChannel channel)
      throws IOException {
    writeSlots(tensors.stream().map(Slot::of), metadata, channel);
  }

  private static void writeTo(
      Collection<TensorData> tensors, Map<String, String> metadata, WritableByteChannel channel)
      throws IOException {
    writeSlots(tensors.stream().map(Slot::of), metadata, channel);
  }

  private static void writeSlots(
      Stream<Slot> tensors, Map<String, String> metadata, WritableByteChannel channel)
      throws IOException {
    List<Slot> ordered = tensors.sorted(FILE_ORDER).toList();
    byte[] header = header(ordered, metadata);
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    writeFully(channel, length.putLong(0, header.length));
    writeFully(channel, ByteBuffer.wrap(header));
    for (Slot tensor : ordered) {
      tensor.source().writeTo(channel);
    }
  }

  private static byte[] header(List<Slot> ordered, Map<String, String> metadata)
      throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(header)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        Map<String, String> sorted = new TreeMap<>(BY_UTF8);
        sorted.putAll(metadata);
        for (Map.Entry<String, String> entry : sorted.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      Set<String> names = new HashSet<>(Set.of(METADATA));
      long begin = 0;
      for (Slot tensor : ordered) {
        if (!names.add(tensor.name())) {
          throw new IllegalArgumentException("two tensors are called " + tensor.name());
        }
        long end = Math.addExact(begin, tensor.bytes());
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.type().name());
        json.writeFieldName("shape");
        json.writeArray(tensor.shape(), 0, tensor.shape().length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {begin, end}, 0, 2);
        json.writeEndObject();
        begin = end;
      }
      json.writeEndObject();
    }
    while (header.size() % Long.BYTES != 0) {
      header.write(' ');
    }
    return header.toByteArray();
  }

  private static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
