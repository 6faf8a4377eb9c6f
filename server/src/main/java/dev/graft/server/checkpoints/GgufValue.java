package dev.graft.server.checkpoints;

import java.nio.ByteBuffer;
import java.util.Optional;

/** A value of GGUF metadata. */
sealed interface GgufValue {
  /** Any integer type; one above 2^63 wraps. */
  record Whole(long value) implements GgufValue {}

  record Real(double value) implements GgufValue {}

  record Flag(boolean value) implements GgufValue {}

  record Text(String value) implements GgufValue {}

  /**
   * An array as it is stored: what a file may claim is no larger in memory than in the file.
   *
   * @param bytes little-endian; texts each with their length before them
   */
  record Elements(Type type, int count, ByteBuffer bytes) implements GgufValue {}

  /** Types of values, with their numbers in a file and sizes in bytes; 0 where they vary. */
  enum Type {
    U8(0, 1),
    I8(1, 1),
    U16(2, 2),
    I16(3, 2),
    U32(4, 4),
    I32(5, 4),
    F32(6, 4),
    BOOL(7, 1),
    TEXT(8, 0),
    ARRAY(9, 0),
    U64(10, 8),
    I64(11, 8),
    F64(12, 8);

    private final int id;
    private final int bytes;

    Type(int id, int bytes) {
      this.id = id;
      this.bytes = bytes;
    }

    int id() {
      return id;
    }

    int bytes() {
      return bytes;
    }

    static Optional<Type> numbered(long id) {
      for (Type type : values()) {
        if (type.id == id) {
          return Optional.of(type);
        }
      }
      return Optional.empty();
    }
  }
}
