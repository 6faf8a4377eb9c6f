package dev.graft.server.checkpoints;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.graft.server.GraftException;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The header of a safetensors file, proved to describe exactly the bytes that follow it.
 *
 * @param slots in the order of their bytes: the first begins at 0, each where the one before ends
 */
record SafetensorsHeader(List<Slot> slots, Map<String, String> metadata) {
  static final int LENGTH_BYTES = Long.BYTES;

  private static final String METADATA = "__metadata__";
  private static final byte[] LFS_POINTER = "version ".getBytes(StandardCharsets.US_ASCII);

  /** A tensor; begin and end count from the first byte after the header. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, and there may be a million
  record Slot(String name, StoredType type, long[] shape, long begin, long end) {}

  /**
   * The header's length, before anything of that size is allocated.
   *
   * @param start the first bytes of the file, as many as there are up to 8
   */
  static int length(
      byte[] start, long fileBytes, int maxBytes, Function<String, GraftException> reject) {
    if (fileBytes < LENGTH_BYTES || start.length < LENGTH_BYTES) {
      throw reject.apply("has %d bytes, which is too short for a header".formatted(fileBytes));
    }
    if (Arrays.equals(start, LFS_POINTER)) {
      throw reject.apply("is a Git LFS pointer, not the file itself: run `git lfs pull`");
    }
    long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 0 || length > maxBytes) {
      throw reject.apply(
          "header of %s bytes is larger than the limit of %d"
              .formatted(Long.toUnsignedString(length), maxBytes));
    }
    if (length > fileBytes - LENGTH_BYTES) {
      throw reject.apply(
          "is truncated: the header has %d bytes, the file only %d".formatted(length, fileBytes));
    }
    return (int) length;
  }

  /**
   * Parses and proves a header.
   *
   * @param dataBytes number of bytes that follow the header
   */
  static SafetensorsHeader parse(
      byte[] json, long dataBytes, Function<String, GraftException> reject) {
    if (json.length == 0 || json[0] != '{') {
      throw reject.apply("header does not begin with '{': not a safetensors file");
    }
    List<Slot> slots = new ArrayList<>();
    Map<String, String> metadata = new TreeMap<>();
    try (JsonParser parser = Json.parser(json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        if (!isText(name)) {
          throw reject.apply("a tensor's name is not valid Unicode");
        }
        parser.nextToken();
        if (name.equals(METADATA)) {
          readMetadata(parser, metadata, reject);
        } else {
          slots.add(readSlot(parser, name, reject));
        }
      }
      if (parser.nextToken() != null) {
        throw reject.apply("header goes on after its closing '}'");
      }
    } catch (CharacterCodingException | CharConversionException e) {
      throw reject.apply("header is not valid UTF-8").causedBy(e);
    } catch (JsonProcessingException e) {
      throw reject.apply("header is not valid JSON: " + e.getOriginalMessage()).causedBy(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no device under a byte array
    }
    slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
    proveContiguous(slots, dataBytes, reject);
    return new SafetensorsHeader(slots, metadata);
  }

  private static void readMetadata(
      JsonParser parser, Map<String, String> metadata, Function<String, GraftException> reject)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw reject.apply(METADATA + " is not an object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw reject.apply("%s: %s is not a string".formatted(METADATA, key));
      }
      metadata.put(key, parser.getText());
    }
  }

  private static Slot readSlot(
      JsonParser parser, String name, Function<String, GraftException> reject) throws IOException {
    Function<String, GraftException> rejectTensor =
        problem -> reject.apply("tensor " + name + ": " + problem).with("tensor", name);
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw rejectTensor.apply("is not described by an object");
    }
    StoredType type = null;
    long[] shape = null;
    long[] offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (key) {
        case "dtype" -> {
          String typeName = value == JsonToken.VALUE_STRING ? parser.getText() : value.name();
          type =
              StoredType.named(typeName)
                  .orElseThrow(() -> rejectTensor.apply("unknown dtype " + typeName));
        }
        case "shape" -> shape = readSizes(parser, key, Shapes.MAX_RANK, rejectTensor);
        case "data_offsets" -> offsets = readSizes(parser, key, 2, rejectTensor);
        default -> parser.skipChildren(); // the reference implementation ignores them too
      }
    }
    if (type == null || shape == null || offsets == null || offsets.length != 2) {
      throw rejectTensor.apply("needs dtype, shape and two data_offsets");
    }
    if (offsets[1] < offsets[0]) {
      throw rejectTensor.apply("data_offsets %s run backwards".formatted(Arrays.toString(offsets)));
    }
    OptionalLong bytes = Shapes.bytes(type, shape);
    if (bytes.isEmpty()) {
      throw rejectTensor.apply("shape %s overflows".formatted(Arrays.toString(shape)));
    }
    if (bytes.getAsLong() != offsets[1] - offsets[0]) {
      throw rejectTensor.apply(
          "%s%s needs %d bytes, data_offsets give it %d"
              .formatted(type, Arrays.toString(shape), bytes.getAsLong(), offsets[1] - offsets[0]));
    }
    return new Slot(name, type, shape, offsets[0], offsets[1]);
  }

  private static long[] readSizes(
      JsonParser parser, String key, int most, Function<String, GraftException> reject)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw reject.apply(key + " is not an array");
    }
    long[] sizes = new long[most];
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw reject.apply(key + " holds something else than whole numbers");
      }
      if (count == most) {
        throw reject.apply("%s has more than %d numbers".formatted(key, most));
      }
      long size = parser.getLongValue();
      if (size < 0) {
        throw reject.apply("%s holds the negative number %d".formatted(key, size));
      }
      sizes[count++] = size;
    }
    return Arrays.copyOf(sizes, count);
  }

  private static void proveContiguous(
      List<Slot> slots, long dataBytes, Function<String, GraftException> reject) {
    long end = 0;
    for (Slot slot : slots) {
      if (slot.begin() != end) {
        throw reject
            .apply(
                "tensor %s: begins at byte %d of the data, but %s"
                    .formatted(
                        slot.name(),
                        slot.begin(),
                        slot.begin() < end
                            ? "overlaps the tensor before it, which ends at " + end
                            : "leaves a hole after " + end))
            .with("tensor", slot.name());
      }
      if (slot.end() > dataBytes) {
        throw reject
            .apply(
                "tensor %s: ends at byte %d of the data, but the file is truncated at %d"
                    .formatted(slot.name(), slot.end(), dataBytes))
            .with("tensor", slot.name());
      }
      end = slot.end();
    }
    if (end != dataBytes) {
      throw reject.apply(
          "has %d bytes that belong to no tensor at its end".formatted(dataBytes - end));
    }
  }

  /** Whether every surrogate has its other half, so that the text survives being written. */
  private static boolean isText(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))
          && !Character.isSurrogatePair(
              text.charAt(i), i + 1 < text.length() ? text.charAt(++i) : 0)) {
        return false;
      }
    }
    return true;
  }
}
