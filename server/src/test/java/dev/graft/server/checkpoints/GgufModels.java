package dev.graft.server.checkpoints;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small models of one block, to be changed and written. */
final class GgufModels {
  final Map<String, Object> metadata = new LinkedHashMap<>();

  /** By name: shape and type; their values are zeros. */
  private final Map<String, GgufWriter.Tensor> tensors = new LinkedHashMap<>();

  private final Map<String, float[]> values = new LinkedHashMap<>();

  /** Two heads of 16 and one of keys; a vocabulary of 4. */
  static GgufModels llama() {
    return decoder("llama");
  }

  static GgufModels decoder(String architecture) {
    GgufModels model = new GgufModels();
    model
        .put("general.architecture", architecture)
        .put(architecture + ".block_count", 1)
        .put(architecture + ".context_length", 64)
        .put(architecture + ".embedding_length", 32)
        .put(architecture + ".feed_forward_length", 32)
        .put(architecture + ".attention.head_count", 2)
        .put(architecture + ".attention.head_count_kv", 1)
        .put(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f)
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "gpt-2")
        .put("tokenizer.ggml.tokens", List.of("a", "b", "ab", "<s>"))
        .put("tokenizer.ggml.token_type", new int[] {1, 1, 1, 3})
        .put("tokenizer.ggml.merges", List.of("a b"))
        .put("tokenizer.ggml.bos_token_id", 3);
    return model
        .tensor("token_embd.weight", GgmlType.Q8_0, 4, 32)
        .tensor("output_norm.weight", GgmlType.F32, 32)
        .tensor("blk.0.attn_norm.weight", GgmlType.F32, 32)
        .tensor("blk.0.attn_q.weight", GgmlType.Q4_0, 32, 32)
        .tensor("blk.0.attn_k.weight", GgmlType.F16, 16, 32)
        .tensor("blk.0.attn_v.weight", GgmlType.F16, 16, 32)
        .tensor("blk.0.attn_output.weight", GgmlType.Q4_0, 32, 32)
        .tensor("blk.0.ffn_norm.weight", GgmlType.F32, 32)
        .tensor("blk.0.ffn_gate.weight", GgmlType.Q4_0, 32, 32)
        .tensor("blk.0.ffn_up.weight", GgmlType.Q4_0, 32, 32)
        .tensor("blk.0.ffn_down.weight", GgmlType.Q4_0, 32, 32);
  }

  GgufModels put(String key, Object value) {
    metadata.put(key, value);
    return this;
  }

  GgufModels without(String key) {
    metadata.remove(key);
    return this;
  }

  GgufModels tensor(String name, GgmlType type, long... shape) {
    List<Long> sizes = Arrays.stream(shape).boxed().toList();
    tensors.put(name, new GgufWriter.Tensor(name, type, sizes));
    return this;
  }

  GgufModels vector(String name, float... floats) {
    values.put(name, floats);
    return tensor(name, GgmlType.F32, floats.length);
  }

  Path write(Path file) {
    try (GgufWriter writer = GgufWriter.create(file, metadata, List.copyOf(tensors.values()))) {
      for (GgufWriter.Tensor tensor : tensors.values()) {
        ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        if (values.containsKey(tensor.name())) {
          bytes.asFloatBuffer().put(values.get(tensor.name()));
        }
        writer.write(tensor.name(), 0, bytes);
      }
      writer.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }
}
