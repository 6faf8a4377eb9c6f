package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * A safetensors file: a little-endian u64 length, that many bytes of JSON, then the tensors' bytes
 * without gaps (https://github.com/huggingface/safetensors#format). Only the header is read; an
 * entry says where its bytes are.
 *
 * @param <T> {@link TensorEntry} for a file on disk, {@link TensorData} for one in memory
 * @param tensors by name, in the order of their bytes
 * @param metadata free text of the writer
 */
public record Safetensors<T>(Map<String, T> tensors, Map<String, String> metadata) {
  /** Largest header that the reference implementation accepts. */
  private static final int MAX_HEADER_BYTES = 100_000_000;

  /** An upload is a projector or an adapter: thousands of tensors at most, not millions. */
  private static final int MAX_UPLOADED_HEADER_BYTES = 8 << 20;

  /** Keeps the order of the given maps. */
  public Safetensors {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /**
   * Opens a file.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT, naming file and tensor
   */
  public static Safetensors<TensorEntry> open(Path file) {
    Function<String, GraftException> reject = Corruption.in(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long fileBytes = channel.size();
      byte[] start = read(channel, 0, SafetensorsHeader.LENGTH_BYTES);
      int headerBytes = SafetensorsHeader.length(start, fileBytes, MAX_HEADER_BYTES, reject);
      byte[] json = read(channel, SafetensorsHeader.LENGTH_BYTES, headerBytes);
      long dataStart = SafetensorsHeader.LENGTH_BYTES + (long) headerBytes;
      SafetensorsHeader header = SafetensorsHeader.parse(json, fileBytes - dataStart, reject);
      Map<String, TensorEntry> tensors = new LinkedHashMap<>();
      for (SafetensorsHeader.Slot slot : header.slots()) {
        tensors.put(
            slot.name(),
            new TensorEntry(
                slot.name(),
                slot.type(),
                slot.shape(),
                file,
                dataStart + slot.begin(),
                slot.end() - slot.begin(),
                false));
      }
      return new Safetensors<>(tensors, header.metadata());
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
  }

  /**
   * Reads a file that lies in memory, for instance an upload. The tensors are slices of the buffer,
   * which is not copied and whose position stays as it is.
   *
   * @param reject makes the error for a problem, since only the caller knows whose fault it is:
   *     {@code problem -> GraftException.invalidArgument("CORRUPT_CHECKPOINT", "projector_file: " +
   *     problem)}
   */
  public static Safetensors<TensorData> read(
      ByteBuffer file, Function<String, GraftException> reject) {
    ByteBuffer bytes = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    int fileBytes = bytes.remaining();
    byte[] start = new byte[Math.min(fileBytes, SafetensorsHeader.LENGTH_BYTES)];
    bytes.get(0, start);
    int headerBytes = SafetensorsHeader.length(start, fileBytes, MAX_UPLOADED_HEADER_BYTES, reject);
    byte[] json = new byte[headerBytes];
    bytes.get(SafetensorsHeader.LENGTH_BYTES, json);
    int dataStart = SafetensorsHeader.LENGTH_BYTES + headerBytes;
    SafetensorsHeader header = SafetensorsHeader.parse(json, fileBytes - dataStart, reject);
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Slot slot : header.slots()) {
      int begin = dataStart + (int) slot.begin();
      int size = (int) (slot.end() - slot.begin());
      tensors.put(
          slot.name(),
          TensorData.of(slot.name(), slot.type(), slot.shape(), bytes.slice(begin, size)));
    }
    return new Safetensors<>(tensors, header.metadata());
  }

  /** Bytes from a position, fewer only where the file ends. */
  private static byte[] read(FileChannel channel, long from, int count) throws IOException {
    byte[] bytes = new byte[count];
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    while (rest.hasRemaining()) {
      if (channel.read(rest, from + rest.position()) < 0) {
        return Arrays.copyOf(bytes, rest.position());
      }
    }
    return bytes;
  }
}
