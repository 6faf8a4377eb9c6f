package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Reads the fields of one protobuf message in a file, as far as ONNX needs: {@link #next()} moves
 * to a field, then exactly one of the other methods takes its value. A message inside is a reader
 * of its own, which cannot leave the bytes of that message.
 * (https://protobuf.dev/programming-guides/encoding)
 */
final class WireReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  /** Longest name of a tensor, node or operator. */
  private static final int MAX_TEXT_BYTES = 1 << 16;

  private static final int MAX_WORD_BYTES = 64;

  private final FileWindow bytes;
  private final long end;
  private long position;
  private int field;
  private int wireType;

  /** Where a field's bytes lie in the file. */
  record Span(long offset, long length) {}

  private WireReader(FileWindow bytes, long begin, long end) {
    this.bytes = bytes;
    this.position = begin;
    this.end = end;
  }

  /** A reader of a file that holds one message. */
  static WireReader of(FileWindow bytes) {
    return new WireReader(bytes, 0, bytes.size());
  }

  /** Moves to the next field; false at the end of the message. */
  boolean next() {
    if (position == end) {
      return false;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    if (tag >>> 3 == 0 || tag >>> 3 > 0x1fffffff) {
      throw corrupt("field number " + (tag >>> 3));
    }
    return true;
  }

  /** Number of the field. */
  int field() {
    return field;
  }

  long integer() {
    require(VARINT);
    return varint();
  }

  /** Each number of a repeated field, packed or not. */
  void integers(LongConsumer each) {
    if (wireType == VARINT) {
      each.accept(varint());
      return;
    }
    WireReader packed = message();
    while (packed.position < packed.end) {
      each.accept(packed.varint());
    }
  }

  float number() {
    require(FIXED32);
    long start = position;
    advance(Float.BYTES);
    return Float.intBitsToFloat((int) little(new Span(start, Float.BYTES), 0, Float.BYTES));
  }

  /** Whether the field holds several numbers, or bytes, behind a length. */
  boolean isPacked() {
    return wireType == LENGTH_DELIMITED;
  }

  /** Where the bytes of a field lie; they are skipped. */
  Span span() {
    require(LENGTH_DELIMITED);
    long length = varint();
    if (length < 0 || length > end - position) {
      throw corrupt("a field of %s bytes".formatted(Long.toUnsignedString(length)));
    }
    Span span = new Span(position, length);
    position += length;
    return span;
  }

  /** A message inside this one. */
  WireReader message() {
    Span span = span();
    return new WireReader(bytes, span.offset(), span.offset() + span.length());
  }

  /** A name. */
  String text() {
    Span span = span();
    if (span.length() > MAX_TEXT_BYTES) {
      throw corrupt("a name of %d bytes".formatted(span.length()));
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(read(span)).toString();
    } catch (CharacterCodingException e) {
      throw corrupt("a name that is not valid UTF-8").causedBy(e);
    }
  }

  /** Bytes that may be a word; empty if they are more than a word. */
  Optional<String> shortText() {
    Span span = span();
    return span.length() > MAX_WORD_BYTES
        ? Optional.empty()
        : Optional.of(StandardCharsets.US_ASCII.decode(read(span)).toString());
  }

  /** A little-endian number in a span. */
  long little(Span span, long at, int count) {
    long bits = 0;
    for (int i = 0; i < count; i++) {
      bits |= (bytes.get(span.offset() + at + i) & 0xffL) << (8 * i);
    }
    return bits;
  }

  private ByteBuffer read(Span span) {
    byte[] read = new byte[(int) span.length()];
    for (int i = 0; i < read.length; i++) {
      read[i] = bytes.get(span.offset() + i);
    }
    return ByteBuffer.wrap(read);
  }

  void skip() {
    switch (wireType) {
      case VARINT -> varint();
      case FIXED64 -> advance(Long.BYTES);
      case LENGTH_DELIMITED -> span();
      case FIXED32 -> advance(Integer.BYTES);
      default -> throw corrupt("wire type " + wireType);
    }
  }

  GraftException corrupt(String what) {
    return Corruption.of(
        bytes.file(), "is truncated or not an ONNX model: %s at byte %d".formatted(what, position));
  }

  private void require(int expected) {
    if (wireType != expected) {
      throw corrupt("wire type %d of field %d".formatted(wireType, field));
    }
  }

  private void advance(int count) {
    if (count > end - position) {
      throw corrupt("a field that does not fit its message");
    }
    position += count;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      long start = position;
      advance(1);
      byte next = bytes.get(start);
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw corrupt("a number of more than 64 bits");
  }
}
