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
  static final String MERGES = "tokenizer.ggml.merges";
  static final String PRE = "tokenizer.ggml.pre";

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private GgufBytePairTokenizer() {}

  static ObjectNode of(GgufVocabulary vocabulary) {
    GgufMetadata metadata = vocabulary.metadata();
    String name = metadata.optionalText(PRE).orElse("");
    GgufPreTokenizer pre =
        GgufPreTokenizer.named(name)
            .orElseThrow(
                () ->
                    metadata.unsupported(
                        PRE,
                        "it decides how texts are split, and those known are %s; token ids can be sent instead"
                            .formatted(GgufPreTokenizer.known())));
    ObjectNode model = JSON.objectNode().put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false);
    model.put("ignore_merges", pre.takesWholeWords());
    model.set("vocab", vocabulary.ids());
    merges(vocabulary, model.putArray("merges"));
    return GgufTokenizer.tokenizer(
        vocabulary,
        model,
        pre.normalizer(),
        Optional.of(pre.preTokenizer()),
        pre.takesWholeWords(),
        false);
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
}
