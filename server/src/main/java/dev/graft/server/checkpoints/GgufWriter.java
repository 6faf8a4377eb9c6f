package dev.graft.server.checkpoints;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file of version 3: the header at once, then the tensors' bytes one after the other,
 * of which only what is being written is in memory.
 */
public final class GgufWriter implements AutoCloseable {
  private static final int ALIGNMENT = 32;

  private final OutputStream out;
  private final WritableByteChannel channel;
  private final List<Tensor> tensors;
  private int current;
  private long written;

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
  }

  private GgufWriter(OutputStream out, List<Tensor> tensors) {
    this.out = out;
    this.channel = Channels.newChannel(out);
    this.tensors = tensors;
  }

  /**
   * Begins a new file.
   *
   * @param metadata in this order: a String, Boolean, Integer (as u32), Long (as u64), Float, or a
   *     List of String, int[] (as i32) or float[]
   */
  public static GgufWriter create(Path file, Map<String, ?> metadata, List<Tensor> tensors)
      throws IOException {
    byte[] header = header(metadata, tensors);
    OutputStream out =
        new BufferedOutputStream(
            Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    GgufWriter writer = new GgufWriter(out, List.copyOf(tensors));
    try {
      out.write(header);
      writer.pad(header.length);
      return writer;
    } catch (IOException e) {
      out.close();
      throw e;
    }
  }

  /**
   * Appends bytes to the tensor whose turn it is; once it is whole, the next one's turn comes.
   *
   * @throws IllegalStateException if they are more than that tensor still needs
   */
  public void write(ByteBuffer bytes) throws IOException {
    skipWhole();
    if (current == tensors.size() || bytes.remaining() > tensors.get(current).bytes() - written) {
      throw new IllegalStateException("more bytes than the tensor has");
    }
    written += bytes.remaining();
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    skipWhole();
  }

  /** Moves over tensors of which nothing is missing. */
  private void skipWhole() throws IOException {
    while (current < tensors.size() && written == tensors.get(current).bytes()) {
      pad(written);
      current++;
      written = 0;
    }
  }

  private void pad(long size) throws IOException {
    out.write(new byte[(int) ((ALIGNMENT - size % ALIGNMENT) % ALIGNMENT)]);
  }

  /**
   * Ends the file.
   *
   * @throws IllegalStateException if a tensor is not whole; the file is then not to be used
   */
  @Override
  public void close() throws IOException {
    skipWhole();
    out.close();
    if (current < tensors.size()) {
      throw new IllegalStateException(tensors.get(current).name() + " was not written whole");
    }
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
      offset = Math.addExact(offset, tensor.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
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
