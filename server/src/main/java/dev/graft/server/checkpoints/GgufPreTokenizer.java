package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Ways to split a text before byte-level BPE, by llama.cpp's names (src/llama-vocab.cpp). */
enum GgufPreTokenizer {
  GPT_2(false, "gpt-2", "phi-2"),
  SMOLLM(false, "smollm", "starcoder", "refact", "command-r"),
  LLAMA_3(true, "llama-bpe", "llama3", "llama-v3"),
  /** Qwen's own tokenizer composes characters, which its GGUF files do not say. */
  QWEN_2(false, "qwen2", "deepseek-r1-qwen");

  private static final String LLAMA_3_REGEX =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String QWEN_2_REGEX = LLAMA_3_REGEX.replace("\\p{N}{1,3}", "\\p{N}");

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final boolean takesWholeWords;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<String> names;

  GgufPreTokenizer(boolean takesWholeWords, String... names) {
    this.takesWholeWords = takesWholeWords;
    this.names = List.of(names);
  }

  static Optional<GgufPreTokenizer> named(String name) {
    return Arrays.stream(values()).filter(each -> each.names.contains(name)).findFirst();
  }

  /** All names. */
  static String known() {
    return String.join(", ", Arrays.stream(values()).flatMap(each -> each.names.stream()).toList());
  }

  /** The name to write. */
  String text() {
    return names.get(0);
  }

  /** Whether a word that is a token is taken whole, and texts begin with a special token. */
  boolean takesWholeWords() {
    return takesWholeWords;
  }

  Optional<ObjectNode> normalizer() {
    return this == QWEN_2 ? Optional.of(JSON.objectNode().put("type", "NFC")) : Optional.empty();
  }

  ObjectNode preTokenizer() {
    return switch (this) {
      case GPT_2 -> byteLevel(true);
      case SMOLLM -> steps(digits(), byteLevel(true));
      case LLAMA_3 -> steps(split(LLAMA_3_REGEX), byteLevel(false));
      case QWEN_2 -> steps(split(QWEN_2_REGEX), byteLevel(false));
    };
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
