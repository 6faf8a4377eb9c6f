package dev.graft.server.training;

import java.nio.ByteBuffer;

/** What an item should be mapped to. */
public sealed interface Label {
  /** One class of several. */
  record ClassIndex(long index) implements Label {
    @Override
    public String kind() {
      return "class_index";
    }

    @Override
    public ByteBuffer toBytes() {
      return ByteBuffer.allocate(Long.BYTES).putLong(0, index);
    }
  }

  /** The classes that apply; possibly none. The array is not copied. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record ClassSet(long... indices) implements Label {
    @Override
    public String kind() {
      return "class_set";
    }

    @Override
    public ByteBuffer toBytes() {
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * indices.length);
      bytes.asLongBuffer().put(indices);
      return bytes;
    }
  }

  /** Target values. The array is not copied. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, and there may be millions
  record Values(float... values) implements Label {
    @Override
    public String kind() {
      return "values";
    }

    @Override
    public ByteBuffer toBytes() {
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
      bytes.asFloatBuffer().put(values);
      return bytes;
    }
  }

  /** Name of the kind in requests. */
  String kind();

  /** The label's content, for digests. */
  ByteBuffer toBytes();
}
