package dev.graft.server.jobs;

import dev.graft.server.checkpoints.HalfFloats;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** A tensor's values, piece by piece. For one thread. */
interface SourceValues extends AutoCloseable {
  /** Values of a piece: enough for the disk, and small beside any tensor that matters. */
  int MOST_AT_ONCE = 1 << 18;

  /** Reads values in the order in which they are stored. */
  void read(long from, float[] target, int count) throws IOException;

  @Override
  void close() throws IOException;

  /** Whether values of this type can be read. */
  static boolean isFloating(StoredType type) {
    return type == StoredType.F32
        || type == StoredType.F16
        || type == StoredType.BF16
        || type == StoredType.F64;
  }

  /** The values of an entry of floating-point type in the order of its shape, F64 in 32 bits. */
  static SourceValues stored(TensorEntry entry) throws IOException {
    if (entry.transposed()) {
      return inMemory(entry.type(), entry.read());
    }
    FileChannel channel = FileChannel.open(entry.file(), StandardOpenOption.READ);
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(MOST_AT_ONCE * entry.type().bytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    return new SourceValues() {
      @Override
      public void read(long from, float[] target, int count) throws IOException {
        int size = entry.type().bytes();
        entry.read(channel, from * size, bytes.clear().limit(count * size));
        decode(entry.type(), bytes.flip(), target, count);
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  private static SourceValues inMemory(StoredType type, ByteBuffer bytes) {
    return new SourceValues() {
      @Override
      public void read(long from, float[] target, int count) {
        int size = type.bytes();
        ByteBuffer piece = bytes.slice((int) from * size, count * size);
        decode(type, piece.order(ByteOrder.LITTLE_ENDIAN), target, count);
      }

      @Override
      public void close() {}
    };
  }

  /** Decodes little-endian values. */
  static void decode(StoredType type, ByteBuffer bytes, float[] target, int count) {
    switch (type) {
      case F32 -> bytes.asFloatBuffer().get(target, 0, count);
      case F64 -> {
        for (int i = 0; i < count; i++) {
          target[i] = (float) bytes.getDouble();
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target[i] = HalfFloats.fromFloat16(bytes.getShort());
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target[i] = HalfFloats.fromBfloat16(bytes.getShort());
        }
      }
      case BOOL,
          U8,
          I8,
          F8_E5M2,
          F8_E4M3,
          F8_E8M0,
          F8_E4M3FNUZ,
          F8_E5M2FNUZ,
          I16,
          U16,
          I32,
          U32,
          C64,
          I64,
          U64 ->
          throw new IllegalArgumentException("Not a floating-point type: " + type);
    }
  }

  /** Encodes values, rounding to nearest even; advances the buffer. */
  static void encode(StoredType type, float[] source, int count, ByteBuffer target) {
    switch (type) {
      case F32 -> {
        target.asFloatBuffer().put(source, 0, count);
        target.position(target.position() + count * Float.BYTES);
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target.putShort(HalfFloats.toFloat16(source[i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target.putShort(HalfFloats.toBfloat16(source[i]));
        }
      }
      case BOOL,
          U8,
          I8,
          F8_E5M2,
          F8_E4M3,
          F8_E8M0,
          F8_E4M3FNUZ,
          F8_E5M2FNUZ,
          I16,
          U16,
          I32,
          U32,
          C64,
          F64,
          I64,
          U64 ->
          throw new IllegalArgumentException("Nothing is cast to " + type);
    }
  }
}
