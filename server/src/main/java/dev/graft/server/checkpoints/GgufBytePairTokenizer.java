package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/**
 * Byte-level BPE, which GGUF calls gpt2. The name in {@code tokenizer.ggml.pre} says how a text is
 * split before (src/llama-vocab.cpp of llama.cpp).
 */
final class GgufBytePairTokenizer {
  private static final String MERGES = "tokenizer.ggml.merges";
  private static final String PRE = "tokenizer.ggml.pre";

  private static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private GgufBytePairTokenizer() {}

  static ObjectNode of(GgufVocabulary vocabulary) {
    GgufMetadata metadata = vocabulary.metadata();
    String pre = metadata.optionalText(PRE).orElse("");
    return switch (pre) {
      case "gpt-2", "phi-2" -> of(vocabulary, byteLevel(true), Optional.empty(), false);
      case "smollm", "starcoder", "refact", "command-r" ->
          of(vocabulary, steps(digits(), byteLevel(true)), Optional.empty(), false);
      case "llama-bpe", "llama3", "llama-v3" ->
          of(vocabulary, steps(split(LLAMA3), byteLevel(false)), Optional.empty(), true);
      // Qwen's own tokenizer composes characters, which its GGUF files do not say.
      case "qwen2", "deepseek-r1-qwen" ->
          of(
              vocabulary,
              steps(split(QWEN2), byteLevel(false)),
              Optional.of(JSON.objectNode().put("type", "NFC")),
              false);
      default ->
          throw metadata.unsupported(
              PRE,
              "it decides how texts are split, and those known are gpt-2, phi-2, smollm, starcoder,"
                  + " refact, command-r, llama-bpe and qwen2; token ids can be sent instead");
    };
  }

  /**
   * A tokenizer.
   *
   * @param llama3 whether a word that is a token is taken whole, and texts begin with a special
   *     token
   */
  private static ObjectNode of(
      GgufVocabulary vocabulary,
      ObjectNode preTokenizer,
      Optional<ObjectNode> normalizer,
      boolean llama3) {
    ObjectNode model = JSON.objectNode().put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", llama3);
    model.set("vocab", vocabulary.ids());
    merges(vocabulary, model.putArray("merges"));
    return GgufTokenizer.tokenizer(
        vocabulary, model, normalizer, Optional.of(preTokenizer), llama3, false);
  }

  private static void merges(GgufVocabulary vocabulary, ArrayNode merges) {
    GgufMetadata metadata = vocabulary.metadata();
    List<String> pairs =
        metadata.texts(MERGES).orElseThrow(() -> metadata.invalid(MERGES, "an array of texts"));
    for (String pair : pairs) {
      int space = pair.indexOf(' ', 1);
      if (space < 0 || space == pair.length() - 1) {
        throw metadata.invalid(MERGES, "pairs of tokens with a space between");
      }
      merges.addArray().add(pair.substring(0, space)).add(pair.substring(space + 1));
    }
  }

  private static ObjectNode steps(ObjectNode... steps) {
    return GgufTokenizer.sequence("pretokenizers", List.of(steps));
  }

  private static ObjectNode digits() {
    return JSON.objectNode().put("type", "Digits").put("individual_digits", true);
  }

  private static ObjectNode split(String regex) {
    ObjectNode split = JSON.objectNode().put("type", "Split");
    split.putObject("pattern").put("Regex", regex);
    return split.put("behavior", "Isolated").put("invert", false);
  }

  private static ObjectNode byteLevel(boolean splitting) {
    return JSON.objectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", splitting);
  }
}
