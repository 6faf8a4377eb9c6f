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
 * A Llama with random weights in 32 bits: as fast as a trained one, and needs no download.
 *
 * @param directory where it is, under the cache directory
 * @param hidden values of a hidden state, of which a head has 64
 * @param keyValue of keys, and of values, of a token
 */
record BenchModel(
    String directory, int hidden, int intermediate, int keyValue, int blocks, int vocabulary) {
  /** The shape of SmolLM2-135M: 538 MB. */
  static final BenchModel SMALL =
      new BenchModel("bench-llama-135m", 576, 1536, 192, 30, BenchItems.VOCABULARY);

  /** 2.5 GB. */
  static final BenchModel LARGE =
      new BenchModel("bench-llama-610m", 1024, 4096, 256, 37, BenchItems.VOCABULARY);

  /** Floating-point operations of the matrix products of one token, attention's own not counted. */
  double tokenFlops() {
    return 2.0
        * blocks
        * (2.0 * hidden * hidden + 2.0 * hidden * keyValue + 3.0 * hidden * intermediate);
  }

  /** Writes the model unless it is there. */
  Path in(Path cache) throws IOException {
    Path model = cache.resolve(directory);
    Path weights = model.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.createDirectories(model);
      Path partial = model.resolve("model.partial");
      write(partial);
      Files.move(partial, weights, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.writeString(model.resolve("config.json"), config());
    return model;
  }

  private String config() {
    return """
    {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": %d, "hidden_size": %d,
     "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
     "hidden_act": "silu", "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "rope_theta": 100000.0,
     "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": true, "torch_dtype": "float32"}
    """
        .formatted(vocabulary, hidden, intermediate, blocks, hidden / 64, keyValue / 64);
  }

  private Map<String, int[]> tensors() {
    Map<String, int[]> shapes = new TreeMap<>();
    shapes.put("model.embed_tokens.weight", new int[] {vocabulary, hidden});
    shapes.put("model.norm.weight", new int[] {hidden});
    for (int i = 0; i < blocks; i++) {
      String block = "model.layers." + i + ".";
      shapes.put(block + "input_layernorm.weight", new int[] {hidden});
      shapes.put(block + "post_attention_layernorm.weight", new int[] {hidden});
      shapes.put(block + "self_attn.q_proj.weight", new int[] {hidden, hidden});
      shapes.put(block + "self_attn.k_proj.weight", new int[] {keyValue, hidden});
      shapes.put(block + "self_attn.v_proj.weight", new int[] {keyValue, hidden});
      shapes.put(block + "self_attn.o_proj.weight", new int[] {hidden, hidden});
      shapes.put(block + "mlp.gate_proj.weight", new int[] {intermediate, hidden});
      shapes.put(block + "mlp.up_proj.weight", new int[] {intermediate, hidden});
      shapes.put(block + "mlp.down_proj.weight", new int[] {hidden, intermediate});
    }
    return shapes;
  }

  private void write(Path file) throws IOException {
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
