package dev.graft.server.checkpoints;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a GGUF file of version 3: the header at once, and with it every tensor's place, so that
 * the file can be opened and what is not yet written reads as zeros. Then the tensors' bytes, in
 * any order and from many threads.
 */
public final class GgufWriter implements AutoCloseable {
  private static final int ALIGNMENT = 32;

  private final FileChannel channel;
  private final Map<String, TensorEntry> places = new LinkedHashMap<>();
  private final AtomicLong missingBytes = new AtomicLong();

  /**
   * A tensor to be written.
   *
   * @param shape in values, slowest dimension first; the last one is whole blocks
   */
  public record Tensor(String name, GgmlType type, List<Long> shape) {
    public Tensor {
      shape = List.copyOf(shape);
      if (name.getBytes(StandardCharsets.UTF_8).length > 63) {
        throw new IllegalArgumentException("name of 64 bytes or more: " + name);
      }
      if (shape.isEmpty()
          || shape.size() > 4
          || shape.get(shape.size() - 1) % type.blockValues() != 0) {
        throw new IllegalArgumentException(name + ": " + type + " does not take " + shape);
      }
    }

    /** Size in bytes. */
    public long bytes() {
      long values = shape.stream().reduce(1L, Math::multiplyExact);
      return Math.multiplyExact(values / type.blockValues(), (long) type.blockBytes());
    }

    private TensorEntry at(Path file, long offset) {
      long[] stored = shape.stream().mapToLong(Long::longValue).toArray();
      int last = stored.length - 1;
      stored[last] = stored[last] / type.blockValues() * type.blockBytes();
      StoredType plain = type.plain().orElse(StoredType.U8);
      stored[last] /= plain.bytes();
      return new TensorEntry(name, plain, stored, file, offset, bytes(), false);
    }
  }

  private GgufWriter(FileChannel channel) {
    this.channel = channel;
  }

  /** The same as a real file. */
  public static GgufWriter create(Path file, Map<String, ?> metadata, List<Tensor> tensors)
      throws IOException {
    return create(file, FileOpener.NEW_FILES, metadata, tensors);
  }

  /**
   * Begins a new file.
   *
   * @param metadata in this order: a String, Boolean, Integer (as u32), Long (as u64), Float, or a
   *     List of String, int[] (as i32) or float[]
   */
  public static GgufWriter create(
      Path file, FileOpener files, Map<String, ?> metadata, List<Tensor> tensors)
      throws IOException {
    byte[] header = header(metadata, tensors);
    GgufWriter writer = new GgufWriter(files.create(file));
    try {
      writer.write(0, ByteBuffer.wrap(header));
      long end = aligned(header.length);
      for (Tensor tensor : tensors) {
        writer.places.put(tensor.name(), tensor.at(file, end));
        writer.missingBytes.addAndGet(tensor.bytes());
        end = aligned(end + tensor.bytes());
      }
      if (end > header.length) {
        writer.write(end - 1, ByteBuffer.allocate(1)); // all before it is there, as zeros
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      writer.channel.close();
      throw e;
    }
  }

  /** Where a tensor is; blocks as U8, a row's bytes instead of its values. */
  public TensorEntry place(String name) {
    TensorEntry place = places.get(name);
    if (place == null) {
      throw new IllegalArgumentException("no such tensor: " + name);
    }
    return place;
  }

  /**
   * Writes a part of a tensor. Every byte is to be written once.
   *
   * @param from first byte, counted from the beginning of the tensor
   */
  public void write(String name, long from, ByteBuffer bytes) throws IOException {
    TensorEntry place = place(name);
    if (from < 0 || bytes.remaining() > place.bytes() - from) {
      throw new IllegalArgumentException(name + ": more bytes than the tensor has");
    }
    missingBytes.addAndGet(-bytes.remaining());
    write(place.offset() + from, bytes);
  }

  private void write(long from, ByteBuffer bytes) throws IOException {
    long at = from;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  /**
   * Ends the file.
   *
   * @throws IllegalStateException if bytes are missing; the file is then not to be used
   */
  public void finish() throws IOException {
    if (missingBytes.get() != 0) {
      throw new IllegalStateException(missingBytes + " bytes were not written");
    }
    channel.force(true);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static long aligned(long size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static byte[] header(Map<String, ?> metadata, List<Tensor> tensors) {
    Header header = new Header();
    header.raw("GGUF".getBytes(StandardCharsets.US_ASCII));
    header.number(3, 4);
    header.number(tensors.size(), 8);
    header.number(metadata.size(), 8);
    metadata.forEach(
        (key, value) -> {
          header.text(key);
          header.value(value);
        });
    long offset = 0;
    for (Tensor tensor : tensors) {
      header.text(tensor.name());
      header.number(tensor.shape().size(), 4);
      for (int i = tensor.shape().size() - 1; i >= 0; i--) {
        header.number(tensor.shape().get(i), 8);
      }
      header.number(tensor.type().id(), 4);
      header.number(offset, 8);
      offset = aligned(Math.addExact(offset, tensor.bytes()));
    }
    return header.bytes.toByteArray();
  }

  private static final class Header {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    void raw(byte[] more) {
      bytes.writeBytes(more);
    }

    void number(long value, int size) {
      ByteBuffer little = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
      bytes.write(little.array(), 0, size);
    }

    void text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      number(utf8.length, 8);
      raw(utf8);
    }

    void type(GgufValue.Type type) {
      number(type.id(), 4);
    }

    void array(GgufValue.Type type, int count) {
      type(GgufValue.Type.ARRAY);
      type(type);
      number(count, 8);
    }

    void value(Object value) {
      if (value instanceof String text) {
        type(GgufValue.Type.TEXT);
        text(text);
      } else if (value instanceof Boolean flag) {
        type(GgufValue.Type.BOOL);
        number(flag ? 1 : 0, 1);
      } else if (value instanceof Integer whole) {
        type(GgufValue.Type.U32);
        number(whole, 4);
      } else if (value instanceof Long whole) {
        type(GgufValue.Type.U64);
        number(whole, 8);
      } else if (value instanceof Float real) {
        type(GgufValue.Type.F32);
        number(Float.floatToRawIntBits(real), 4);
      } else if (value instanceof List<?> texts) {
        array(GgufValue.Type.TEXT, texts.size());
        texts.forEach(text -> text((String) text));
      } else if (value instanceof int[] integers) {
        array(GgufValue.Type.I32, integers.length);
        for (int integer : integers) {
          number(integer, 4);
        }
      } else if (value instanceof float[] floats) {
        array(GgufValue.Type.F32, floats.length);
        for (float number : floats) {
          number(Float.floatToRawIntBits(number), 4);
        }
      } else {
        throw new IllegalArgumentException("GGUF metadata takes no " + value.getClass());
      }
    }
  }
}
