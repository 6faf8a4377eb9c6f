package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of a GGUF file's tensors in Hugging Face checkpoints. A tensor that is not known is
 * refused, since it would change features.
 *
 * @param outside by name in GGUF
 * @param inBlock the same for what follows {@code blk.N.}
 * @param blockPrefix before a block's number in Hugging Face's names
 * @param unused what features do not need
 * @param queryKeyInterleaved whether the converter turns the rows of queries and keys round, as it
 *     does for rotary embeddings of the Llama type
 */
record GgufNames(
    Map<String, String> outside,
    Map<String, String> inBlock,
    String blockPrefix,
    Set<String> unused,
    boolean queryKeyInterleaved) {
  private static final Pattern IN_BLOCK = Pattern.compile("blk\\.(\\d{1,6})\\.(.+)");

  /** Scales of rotary frequencies, which become a part of the configuration. */
  static final String FREQUENCY_FACTORS = "rope_freqs.weight";

  private static final Map<String, String> DECODER_OUTSIDE =
      Map.of(
          "token_embd.weight", "model.embed_tokens.weight",
          "output_norm.weight", "model.norm.weight",
          "output.weight", "lm_head.weight");

  private static final Map<String, String> DECODER_BLOCK =
      Map.of(
          "attn_norm.weight", "input_layernorm.weight",
          "attn_q.weight", "self_attn.q_proj.weight",
          "attn_k.weight", "self_attn.k_proj.weight",
          "attn_v.weight", "self_attn.v_proj.weight",
          "attn_output.weight", "self_attn.o_proj.weight",
          "ffn_norm.weight", "post_attention_layernorm.weight",
          "ffn_gate.weight", "mlp.gate_proj.weight",
          "ffn_up.weight", "mlp.up_proj.weight",
          "ffn_down.weight", "mlp.down_proj.weight");

  static final GgufNames LLAMA =
      new GgufNames(
          DECODER_OUTSIDE, DECODER_BLOCK, "model.layers.", Set.of(FREQUENCY_FACTORS), true);

  static final GgufNames QWEN2 =
      new GgufNames(
          DECODER_OUTSIDE,
          with(
              DECODER_BLOCK,
              Map.of(
                  "attn_q.bias", "self_attn.q_proj.bias",
                  "attn_k.bias", "self_attn.k_proj.bias",
                  "attn_v.bias", "self_attn.v_proj.bias")),
          "model.layers.",
          Set.of(),
          false);

  static final GgufNames QWEN3 =
      new GgufNames(
          DECODER_OUTSIDE,
          with(
              DECODER_BLOCK,
              Map.of(
                  "attn_q_norm.weight", "self_attn.q_norm.weight",
                  "attn_k_norm.weight", "self_attn.k_norm.weight")),
          "model.layers.",
          Set.of(),
          false);

  /** The heads of classifiers and rerankers come after the features. */
  static final GgufNames BERT =
      new GgufNames(
          withBiases(
              Map.of("token_embd_norm", "embeddings.LayerNorm"),
              Map.of(
                  "token_embd.weight", "embeddings.word_embeddings.weight",
                  "position_embd.weight", "embeddings.position_embeddings.weight",
                  "token_types.weight", "embeddings.token_type_embeddings.weight")),
          withBiases(
              Map.of(
                  "attn_q", "attention.self.query",
                  "attn_k", "attention.self.key",
                  "attn_v", "attention.self.value",
                  "attn_output", "attention.output.dense",
                  "attn_output_norm", "attention.output.LayerNorm",
                  "ffn_up", "intermediate.dense",
                  "ffn_down", "output.dense",
                  "layer_output_norm", "output.LayerNorm"),
              Map.of()),
          "encoder.layer.",
          Set.of("cls.weight", "cls.bias", "cls.output.weight", "cls.output.bias"),
          false);

  private static Map<String, String> with(Map<String, String> names, Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(names);
    all.putAll(more);
    return Map.copyOf(all);
  }

  private static Map<String, String> withBiases(
      Map<String, String> modules, Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(more);
    modules.forEach(
        (from, to) -> {
          all.put(from + ".weight", to + ".weight");
          all.put(from + ".bias", to + ".bias");
        });
    return Map.copyOf(all);
  }

  /**
   * The tensors under their Hugging Face names, sorted.
   *
   * @param heads of queries, 0 where that does not matter
   * @param keyValueHeads of keys
   */
  Map<String, GgufTensor> rename(Gguf gguf, int heads, int keyValueHeads) {
    Map<String, GgufTensor> renamed = new TreeMap<>();
    gguf.tensors()
        .forEach(
            (name, tensor) -> {
              if (!unused.contains(name)) {
                String other = rename(name).orElseThrow(() -> unknown(gguf, name));
                renamed.put(other, tensor.as(other, interleaved(name, heads, keyValueHeads)));
              }
            });
    renamed.values().forEach(tensor -> requireWholeHeads(gguf, tensor));
    return renamed;
  }

  /** Those of an architecture that is read. */
  static Optional<GgufNames> of(String architecture) {
    return switch (architecture) {
      case "llama" -> Optional.of(LLAMA);
      case "qwen2" -> Optional.of(QWEN2);
      case "qwen3" -> Optional.of(QWEN3);
      case "bert" -> Optional.of(BERT);
      default -> Optional.empty();
    };
  }

  /** The name in GGUF of a tensor that Hugging Face calls so; empty if it has none. */
  Optional<String> inGguf(String name) {
    if (!name.startsWith(blockPrefix)) {
      return keyOf(outside, name);
    }
    int dot = name.indexOf('.', blockPrefix.length());
    return dot < 0
        ? Optional.empty()
        : keyOf(inBlock, name.substring(dot + 1))
            .map(rest -> "blk." + name.substring(blockPrefix.length(), dot) + "." + rest);
  }

  private static Optional<String> keyOf(Map<String, String> names, String value) {
    return names.entrySet().stream()
        .filter(entry -> entry.getValue().equals(value))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private Optional<String> rename(String name) {
    Matcher block = IN_BLOCK.matcher(name);
    return block.matches()
        ? Optional.ofNullable(inBlock.get(block.group(2)))
            .map(rest -> blockPrefix + Integer.parseInt(block.group(1)) + "." + rest)
        : Optional.ofNullable(outside.get(name));
  }

  /**
   * The number of heads in whose rows the file interleaves halves; 0 for most tensors.
   *
   * @param name in GGUF
   */
  int interleaved(String name, int heads, int keyValueHeads) {
    if (!queryKeyInterleaved) {
      return 0;
    }
    return name.endsWith(".attn_q.weight")
        ? heads
        : name.endsWith(".attn_k.weight") ? keyValueHeads : 0;
  }

  private static void requireWholeHeads(Gguf gguf, GgufTensor tensor) {
    int heads = tensor.interleavedHeads();
    if (heads > 0 && (tensor.shape().length != 2 || tensor.shape()[0] % (2L * heads) != 0)) {
      throw Corruption.of(
          gguf.file(), tensor.entry().name(), "has no rows for %d heads".formatted(heads));
    }
  }

  private static GraftException unknown(Gguf gguf, String name) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "%s: tensor %s is not known in the architecture %s, and would change its features"
                .formatted(gguf.file(), name, gguf.metadata().text(GgufModel.ARCHITECTURE)))
        .with("tensor", name)
        .with("option", "tensor")
        .with("value", name);
  }
}
