package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A checkpoint among the test resources, with what the reference library decodes it to. */
record PackedFixture(Path directory) {
  private static final long HIDDEN = 128;
  private static final long INTERMEDIATE = 256;
  private static final long KEYS = 64;

  /** Names of all checkpoints of a scheme: {@code gptq/4bit-g32-sym}. */
  static List<String> names(String scheme) {
    try (Stream<Path> folders = Files.list(folder(scheme))) {
      return folders.map(path -> scheme + "/" + path.getFileName()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static PackedFixture of(String name) {
    return new PackedFixture(folder(name));
  }

  private static Path folder(String name) {
    try {
      return Path.of(PackedFixture.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  Checkpoint open() {
    return Checkpoint.open(directory);
  }

  /** SHA-256 of each weight's 32-bit values, by module. */
  Map<String, String> digests() {
    try {
      JsonNode golden = new ObjectMapper().readTree(directory.resolve("golden.json").toFile());
      Map<String, String> digests = new TreeMap<>();
      for (Map.Entry<String, JsonNode> entry : golden.get("weights_sha256").properties()) {
        digests.put(entry.getKey(), entry.getValue().textValue());
      }
      return digests;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** [out, in] of a module. */
  static long[] shape(String module) {
    return switch (module.substring(module.lastIndexOf('.') + 1)) {
      case "q_proj", "o_proj" -> new long[] {HIDDEN, HIDDEN};
      case "k_proj", "v_proj" -> new long[] {KEYS, HIDDEN};
      case "gate_proj", "up_proj" -> new long[] {INTERMEDIATE, HIDDEN};
      case "down_proj" -> new long[] {HIDDEN, INTERMEDIATE};
      default -> throw new IllegalArgumentException(module);
    };
  }

  /** The values of a weight, widened to 32 bits. */
  static float[] decode(QuantizedWeight weight, DType dtype) {
    try (Tensors tensors = Tensors.on(TestDevice.DEVICE);
        Scope scope = Scope.open(TestDevice.DEVICE)) {
      Tensor decoded = weight.decode(scope, new TensorFiles(scope, tensors), dtype);
      return tensors.cast(scope, decoded, DType.F32).toFloats();
    }
  }

  static String sha256(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
