package dev.graft.cli.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A Llama of the shape of SmolLM2-135M with random weights: as fast as the trained one, and needs
 * no download.
 */
final class BenchModel {
  private static final int HIDDEN = 576;
  private static final int INTERMEDIATE = 1536;
  private static final int KEY_VALUE = 192;
  private static final int BLOCKS = 30;
  static final int VOCABULARY = 49_152;

  /** Floating-point operations of the matrix products of one token, attention's own not counted. */
  static final double PRODUCT_FLOPS_PER_TOKEN =
      2.0
          * BLOCKS
          * (2.0 * HIDDEN * HIDDEN + 2.0 * HIDDEN * KEY_VALUE + 3.0 * HIDDEN * INTERMEDIATE);

  private static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 49152, "hidden_size": 576,
       "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
       "hidden_act": "silu", "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "rope_theta": 100000.0,
       "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": true, "torch_dtype": "float32"}
      """;

  private BenchModel() {}

  /** Writes the model (538 MB) unless it is there. */
  static Path in(Path directory) throws IOException {
    Path weights = directory.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.createDirectories(directory);
      Path partial = directory.resolve("model.partial");
      write(partial);
      Files.move(partial, weights, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.writeString(directory.resolve("config.json"), CONFIG);
    return directory;
  }

  private static Map<String, int[]> tensors() {
    Map<String, int[]> shapes = new TreeMap<>();
    shapes.put("model.embed_tokens.weight", new int[] {VOCABULARY, HIDDEN});
    shapes.put("model.norm.weight", new int[] {HIDDEN});
    for (int i = 0; i < BLOCKS; i++) {
      String block = "model.layers." + i + ".";
      shapes.put(block + "input_layernorm.weight", new int[] {HIDDEN});
      shapes.put(block + "post_attention_layernorm.weight", new int[] {HIDDEN});
      shapes.put(block + "self_attn.q_proj.weight", new int[] {HIDDEN, HIDDEN});
      shapes.put(block + "self_attn.k_proj.weight", new int[] {KEY_VALUE, HIDDEN});
      shapes.put(block + "self_attn.v_proj.weight", new int[] {KEY_VALUE, HIDDEN});
      shapes.put(block + "self_attn.o_proj.weight", new int[] {HIDDEN, HIDDEN});
      shapes.put(block + "mlp.gate_proj.weight", new int[] {INTERMEDIATE, HIDDEN});
      shapes.put(block + "mlp.up_proj.weight", new int[] {INTERMEDIATE, HIDDEN});
      shapes.put(block + "mlp.down_proj.weight", new int[] {HIDDEN, INTERMEDIATE});
    }
    return shapes;
  }

  private static void write(Path file) throws IOException {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    long offset = 0;
    for (Map.Entry<String, int[]> tensor : tensors().entrySet()) {
      int[] shape = tensor.getValue();
      long end = offset + 4L * count(shape);
      String dimensions = shape.length == 1 ? "" + shape[0] : shape[0] + "," + shape[1];
      header.append(
          ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}"
              .formatted(tensor.getKey(), dimensions, offset, end));
      offset = end;
    }
    header.append('}');
    while (header.length() % 8 != 0) {
      header.append(' ');
    }
    SplittableRandom random = new SplittableRandom(0);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(
          ByteBuffer.allocate(8)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(0, header.length())
              .array());
      out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
      for (int[] shape : tensors().values()) {
        ByteBuffer values = ByteBuffer.allocate(4 * count(shape)).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
          // Uniform with the standard deviation 0.02 of a fresh model; norms are ones.
          values.putFloat(
              shape.length == 1 ? 1 : (float) ((random.nextDouble() - 0.5) * 0.02 * Math.sqrt(12)));
        }
        out.write(values.array());
      }
    }
  }

  private static int count(int[] shape) {
    return shape.length == 1 ? shape[0] : shape[0] * shape[1];
  }
}
