package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** What bitsandbytes makes of weights of all kinds: sources, codes, scales, decoded values. */
final class BitsAndBytesVectors {
  private static final Map<String, TensorData> TENSORS =
      Safetensors.read(
              ByteBuffer.wrap(bytes("vectors.safetensors")),
              problem -> {
                throw new AssertionError(problem);
              })
          .tensors();

  private static final List<Case> CASES =
      StreamSupport.stream(json("vectors.json").get("cases").spliterator(), false)
          .map(Case::new)
          .toList();

  private BitsAndBytesVectors() {}

  record Case(JsonNode json) {
    String key() {
      return json.get("key").textValue();
    }

    String text(String field) {
      return json.get(field).textValue();
    }

    int blockSize() {
      return json.get("blocksize").intValue();
    }

    FourBitType type() {
      return FourBitType.valueOf(text("quant_type").toUpperCase(java.util.Locale.ROOT));
    }

    long[] shape() {
      return StreamSupport.stream(json.get("shape").spliterator(), false)
          .mapToLong(JsonNode::longValue)
          .toArray();
    }

    TensorData source() {
      return tensor(text("source"));
    }

    @Override
    public String toString() {
      return key();
    }
  }

  static List<Case> fourBit() {
    return CASES.stream().filter(c -> c.json().has("quant_state")).toList();
  }

  static List<Case> int8() {
    return CASES.stream().filter(c -> c.text("quant_type").equals("int8")).toList();
  }

  static List<Case> storages() {
    return CASES.stream().filter(c -> c.json().has("stored_shape")).toList();
  }

  static boolean has(String name) {
    return TENSORS.containsKey(name);
  }

  static TensorData tensor(String name) {
    TensorData tensor = TENSORS.get(name);
    if (tensor == null) {
      throw new AssertionError("no vector " + name);
    }
    return tensor;
  }

  /** The same tensor under another name. */
  static TensorData named(String name, TensorData tensor) {
    return TensorData.of(name, tensor.type(), tensor.shape(), tensor.bytes());
  }

  private static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(bytes(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(String name) {
    try (InputStream in = BitsAndBytesVectors.class.getResourceAsStream("bnb/" + name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All values of a tensor. */
  static float[] floats(TensorData tensor) {
    float[] values = new float[tensor.bytes().remaining() / tensor.type().bytes()];
    FloatValues.read(tensor.type(), tensor.bytes(), values, values.length);
    return values;
  }
}
