package dev.graft.server.quantizing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Reads a {@link QuantState}, which may say anything. */
final class QuantStateReader {
  /** Far above every real one, which have below 200. */
  private static final int MAX_BYTES = 1 << 16;

  /** Largest block that is read; bitsandbytes writes none above 4096. */
  private static final int MAX_BLOCK_SIZE = 1 << 16;

  private static final int MAX_SHOWN_CHARACTERS = 100;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // Python writes NaN and Infinity where its own reader takes them.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final TensorEntry entry;
  private final JsonNode json;

  private QuantStateReader(TensorEntry entry, JsonNode json) {
    this.entry = entry;
    this.json = json;
  }

  /**
   * Reads it.
   *
   * @param type which the entry's name says
   * @param shape the weight's; it must agree
   */
  static QuantState read(TensorEntry entry, FourBitType type, long[] shape) {
    BitsAndBytesParts.requireType(entry, StoredType.U8);
    if (entry.bytes() > MAX_BYTES) {
      throw WrongEntry.corrupt(
          entry, "has %d bytes, more than the limit of %d".formatted(entry.bytes(), MAX_BYTES));
    }
    QuantStateReader reader = new QuantStateReader(entry, parse(entry));
    reader.requireType(type);
    reader.requireShape(shape);
    int blockSize = reader.blockSize("blocksize");
    if (blockSize % 2 != 0) {
      throw reader.unsupported("blocksize", "a block must have whole bytes");
    }
    return new QuantState(type, blockSize, reader.dtype("dtype"), reader.nested());
  }

  private static JsonNode parse(TensorEntry entry) {
    try {
      JsonNode json = JSON.readTree(StandardCharsets.UTF_8.decode(entry.read()).toString());
      if (json.isObject()) {
        return json;
      }
      throw WrongEntry.corrupt(entry, "does not hold a JSON object");
    } catch (JsonProcessingException e) {
      throw WrongEntry.corrupt(entry, "is not valid JSON: " + e.getOriginalMessage()).causedBy(e);
    }
  }

  private void requireType(FourBitType type) {
    if (!json.path("quant_type").asText().equals(type.text())) {
      throw corrupt("quant_type", "unlike its name");
    }
  }

  private void requireShape(long[] shape) {
    JsonNode sizes = json.path("shape");
    boolean same = sizes.isArray() && sizes.size() == shape.length;
    for (int i = 0; same && i < shape.length; i++) {
      JsonNode size = sizes.get(i);
      same = size.isIntegralNumber() && size.canConvertToLong() && size.longValue() == shape[i];
    }
    if (!same) {
      throw corrupt("shape", "but the model needs " + Arrays.toString(shape));
    }
  }

  private Optional<QuantState.Nested> nested() {
    if (!json.has("nested_blocksize") && !json.has("nested_offset")) {
      return Optional.empty();
    }
    if (dtype("nested_dtype") != DType.F32) {
      throw unsupported("nested_dtype", "only float32 is read");
    }
    JsonNode offset = json.path("nested_offset");
    if (!offset.isNumber()) {
      throw corrupt("nested_offset", "not a number");
    }
    return Optional.of(new QuantState.Nested(blockSize("nested_blocksize"), offset.floatValue()));
  }

  private int blockSize(String key) {
    JsonNode value = json.path(key);
    if (!value.isIntegralNumber() || value.bigIntegerValue().signum() < 1) {
      throw corrupt(key, "not an integer above 0");
    }
    if (!value.canConvertToInt() || value.intValue() > MAX_BLOCK_SIZE) {
      throw unsupported(key, "blocks of at most %d are read".formatted(MAX_BLOCK_SIZE));
    }
    return value.intValue();
  }

  private DType dtype(String key) {
    return QuantState.dtype(json.path(key).asText())
        .orElseThrow(() -> unsupported(key, "float32, float16 and bfloat16 are read"));
  }

  private GraftException corrupt(String key, String problem) {
    return WrongEntry.corrupt(entry, "says %s = %s, %s".formatted(key, shown(key), problem));
  }

  private GraftException unsupported(String key, String problem) {
    return WrongEntry.unsupported(
        entry, key, "says %s = %s: %s".formatted(key, shown(key), problem));
  }

  private String shown(String key) {
    String text = json.has(key) ? json.get(key).toString() : "nothing";
    return text.length() <= MAX_SHOWN_CHARACTERS
        ? text
        : text.substring(0, MAX_SHOWN_CHARACTERS) + "…";
  }
}
