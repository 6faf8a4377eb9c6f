package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Reads a GGUF header. Every length and count is checked against what is left of the file before
 * anything is allocated for it.
 */
final class GgufReader {
  private static final int MAGIC = 0x46554747; // "GGUF", little-endian

  /** Real headers with the largest vocabularies have 20 MB. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private static final int MAX_KEY_BYTES = 65_535;

  /** llama.cpp's names end before this length. */
  private static final int MAX_NAME_BYTES = 63;

  private static final int MAX_DIMENSIONS = 4;
  private static final long MAX_LENGTH = 1L << 30;

  /** A length, a type and one byte. */
  private static final int LEAST_PAIR_BYTES = 8 + 4 + 1;

  /** A length, a number of dimensions, a type and an offset. */
  private static final int LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

  private static final long DEFAULT_ALIGNMENT = 32;
  private static final long LEAST_ALIGNMENT = 8;
  private static final long MOST_ALIGNMENT = 1 << 30;

  private final FileWindow bytes;
  private final long end;
  private long position;

  GgufReader(FileWindow bytes) {
    this.bytes = bytes;
    this.end = Math.min(bytes.size(), MAX_HEADER_BYTES);
  }

  /** A tensor as the header has it; the offset counts from where the data begins. */
  private record Info(GgmlType type, long[] shape, long bytes, long offset) {}

  Gguf read() {
    if (bytes.size() < 8 || number(4) != MAGIC) {
      throw Corruption.of(bytes.file(), "does not begin with GGUF");
    }
    requireVersion(number(4));
    long tensors = count("tensors", LEAST_TENSOR_BYTES);
    long pairs = count("metadata entries", LEAST_PAIR_BYTES);
    GgufMetadata metadata = metadata(pairs);
    requireWhole(metadata);
    Map<String, Info> infos = new LinkedHashMap<>();
    for (long i = 0; i < tensors; i++) {
      String name = text("name of a tensor", MAX_NAME_BYTES);
      if (infos.put(name, info(name)) != null) {
        throw Corruption.of(bytes.file(), name, "is there twice");
      }
    }
    return new Gguf(bytes.file(), metadata, place(infos, alignment(metadata)));
  }

  private void requireVersion(long version) {
    if (version == 2 || version == 3) {
      return;
    }
    boolean otherByteOrder = version != 0 && (version & 0xffff) == 0;
    throw Corruption.unsupportedFormat(
        bytes.file(),
        otherByteOrder
            ? "is big-endian GGUF: convert it to little-endian"
            : "is GGUF of version %d; versions 2 and 3 are read".formatted(version));
  }

  private GgufMetadata metadata(long pairs) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (long i = 0; i < pairs; i++) {
      String key = text("key", MAX_KEY_BYTES);
      if (values.put(key, value(key, type(key))) != null) {
        throw Corruption.of(bytes.file(), "has the key %s twice".formatted(key));
      }
    }
    return new GgufMetadata(bytes.file(), values);
  }

  private void requireWhole(GgufMetadata metadata) {
    long parts = metadata.integer("split.count", 0, 0, 0xffff);
    if (parts > 1) {
      throw Corruption.unsupportedFormat(
          bytes.file(),
          "is one of %d parts: put them together with llama-gguf-split --merge".formatted(parts));
    }
  }

  private long alignment(GgufMetadata metadata) {
    long alignment =
        metadata.integer("general.alignment", DEFAULT_ALIGNMENT, LEAST_ALIGNMENT, MOST_ALIGNMENT);
    if (Long.bitCount(alignment) != 1) {
      throw Corruption.of(
          bytes.file(), "general.alignment is %d, no power of two".formatted(alignment));
    }
    return alignment;
  }

  private GgufValue.Type type(String key) {
    long id = number(4);
    return GgufValue.Type.numbered(id)
        .orElseThrow(
            () ->
                Corruption.of(bytes.file(), "key %s has unknown type %d".formatted(key, id))
                    .with("key", key));
  }

  private GgufValue value(String key, GgufValue.Type type) {
    return switch (type) {
      case U8, U16, U32, U64, I64 -> new GgufValue.Whole(number(type.bytes()));
      case I8 -> new GgufValue.Whole((byte) number(1));
      case I16 -> new GgufValue.Whole((short) number(2));
      case I32 -> new GgufValue.Whole((int) number(4));
      case F32 -> new GgufValue.Real(decimal(Float.intBitsToFloat((int) number(4))));
      case F64 -> new GgufValue.Real(Double.longBitsToDouble(number(8)));
      case BOOL -> flag(key);
      case TEXT -> new GgufValue.Text(text("value of " + key, MAX_LENGTH));
      case ARRAY -> elements(key);
    };
  }

  /** 1e-5 was written as the nearest float; 1e-5 is what was meant. */
  private static double decimal(float number) {
    return Double.parseDouble(Float.toString(number));
  }

  private GgufValue flag(String key) {
    long value = number(1);
    if (value > 1) {
      throw Corruption.of(bytes.file(), "key %s is %d where 0 or 1 must be".formatted(key, value));
    }
    return new GgufValue.Flag(value == 1);
  }

  private GgufValue elements(String key) {
    GgufValue.Type type = type(key);
    if (type == GgufValue.Type.ARRAY) {
      throw Corruption.of(bytes.file(), "key %s is an array of arrays".formatted(key));
    }
    boolean texts = type == GgufValue.Type.TEXT;
    long count = count("elements of " + key, texts ? Long.BYTES : type.bytes());
    long begin = position;
    if (texts) {
      for (long i = 0; i < count; i++) {
        advance(length("element of " + key, MAX_LENGTH), "an element of " + key);
      }
    } else {
      advance(count * type.bytes(), key);
    }
    return new GgufValue.Elements(type, (int) count, copy(begin, position - begin));
  }

  private Info info(String name) {
    long dimensions = number(4);
    if (dimensions > MAX_DIMENSIONS) {
      throw Corruption.of(
          bytes.file(), name, "has %d dimensions, more than 4".formatted(dimensions));
    }
    long[] shape = new long[(int) dimensions];
    for (int i = shape.length - 1; i >= 0; i--) { // the file begins with the fastest
      shape[i] = number(8);
    }
    long id = number(4);
    GgmlType type = GgmlType.numbered(id).orElseThrow(() -> unsupported(name, id));
    long offset = number(8);
    return new Info(type, shape, bytes(name, type, shape), offset);
  }

  private long bytes(String name, GgmlType type, long[] shape) {
    long row = shape.length == 0 ? 1 : shape[shape.length - 1];
    if (row % type.blockValues() != 0) {
      throw Corruption.of(
          bytes.file(),
          name,
          "has rows of %d values, which are no whole blocks of %s".formatted(row, type));
    }
    OptionalLong values = Shapes.bytes(StoredType.U8, shape);
    if (values.isEmpty()
        || values.getAsLong() / type.blockValues() > bytes.size() / type.blockBytes()) {
      throw Corruption.of(bytes.file(), name, "is larger than the file");
    }
    return values.getAsLong() / type.blockValues() * type.blockBytes();
  }

  private GraftException unsupported(String name, long id) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "%s: tensor %s has ggml type %d, which is not read; those that are: %s"
                .formatted(bytes.file(), name, id, Arrays.toString(GgmlType.values())))
        .with("tensor", name)
        .with("option", "ggml_type")
        .with("value", id);
  }

  /** Each tensor must begin where the one before it ends, rounded up. */
  private Map<String, GgufTensor> place(Map<String, Info> infos, long alignment) {
    long data = roundUp(position, alignment);
    long next = 0;
    Map<String, GgufTensor> placed = new LinkedHashMap<>();
    for (Map.Entry<String, Info> named : infos.entrySet()) {
      String name = named.getKey();
      Info info = named.getValue();
      if (info.offset != next) {
        throw Corruption.of(
            bytes.file(),
            name,
            "begins at offset %s where %d must be"
                .formatted(Long.toUnsignedString(info.offset), next));
      }
      if (info.bytes > bytes.size() - data - next) {
        throw Corruption.of(
            bytes.file(), name, "ends after the file: the file is cut, or its header lies");
      }
      placed.put(name, tensor(name, info, data + next));
      next = roundUp(next + info.bytes, alignment);
    }
    return placed;
  }

  private GgufTensor tensor(String name, Info info, long offset) {
    long[] stored = info.shape.clone();
    if (info.type.plain().isEmpty()) {
      int last = stored.length - 1;
      stored[last] = stored[last] / info.type.blockValues() * info.type.blockBytes();
    }
    StoredType type = info.type.plain().orElse(StoredType.U8);
    return new GgufTensor(
        new TensorEntry(name, type, stored, bytes.file(), offset, info.bytes, false), info.type, 0);
  }

  private static long roundUp(long size, long alignment) {
    return (size + alignment - 1) / alignment * alignment;
  }

  /** A number of things that take at least so many bytes each. */
  private long count(String what, int leastBytes) {
    long count = number(8);
    if (count < 0 || count > MAX_LENGTH || count > (end - position) / leastBytes) {
      throw Corruption.of(
          bytes.file(),
          "claims %s %s, more than it can hold".formatted(Long.toUnsignedString(count), what));
    }
    return count;
  }

  private long length(String what, long most) {
    long length = number(8);
    if (length < 0 || length > most || length > end - position) {
      throw Corruption.of(
          bytes.file(),
          "claims %s bytes for the %s at byte %d, more than %s"
              .formatted(
                  Long.toUnsignedString(length),
                  what,
                  position - 8,
                  length >= 0 && length <= most ? "it holds" : "the limit of " + most));
    }
    return length;
  }

  private String text(String what, long most) {
    long length = length(what, most);
    long begin = position;
    advance(length, what);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(copy(begin, length)).toString();
    } catch (CharacterCodingException e) {
      throw Corruption.of(
              bytes.file(), "the %s at byte %d is not valid UTF-8".formatted(what, begin))
          .causedBy(e);
    }
  }

  private long number(int size) {
    long begin = position;
    advance(size, "a number");
    long bits = 0;
    for (int i = 0; i < size; i++) {
      bits |= (bytes.get(begin + i) & 0xffL) << (8 * i);
    }
    return bits;
  }

  private void advance(long count, String what) {
    if (count > end - position) {
      throw Corruption.of(
          bytes.file(), "ends amid its header, in %s at byte %d".formatted(what, position));
    }
    position += count;
  }

  private ByteBuffer copy(long begin, long length) {
    byte[] copy = new byte[(int) length];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = bytes.get(begin + i);
    }
    return ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN);
  }
}
