package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * WordPiece, which GGUF calls bert. GGUF marks tokens that begin a word where Hugging Face marks
 * those that do not.
 */
final class GgufWordPieceTokenizer {
  private static final String BEGIN = "\u2581";
  private static final String CONTINUATION = "##";
  private static final int LONGEST_WORD = 100;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private GgufWordPieceTokenizer() {}

  static ObjectNode of(GgufVocabulary vocabulary) {
    GgufMetadata metadata = vocabulary.metadata();
    int unknown =
        vocabulary
            .unknown()
            .orElseThrow(
                () -> metadata.invalid("tokenizer.ggml.unknown_token_id", "a token's number"));
    ObjectNode ids = JSON.objectNode();
    for (int id = 0; id < vocabulary.size(); id++) {
      ids.put(vocabulary.isText(id) ? token(vocabulary.token(id)) : vocabulary.token(id), id);
    }
    ObjectNode model =
        JSON.objectNode()
            .put("type", "WordPiece")
            .put("unk_token", vocabulary.token(unknown))
            .put("continuing_subword_prefix", CONTINUATION)
            .put("max_input_chars_per_word", LONGEST_WORD);
    model.set("vocab", ids);
    ObjectNode normalizer =
        JSON.objectNode()
            .put("type", "BertNormalizer")
            .put("clean_text", true)
            .put("handle_chinese_chars", true)
            .put("lowercase", metadata.flag("tokenizer.ggml.normalizer.lowercase", true));
    normalizer.putNull("strip_accents");
    return GgufTokenizer.tokenizer(
        vocabulary,
        model,
        Optional.of(normalizer),
        Optional.of(JSON.objectNode().put("type", "BertPreTokenizer")),
        true,
        true);
  }

  /** How GGUF has a token that is no special one. */
  static String inGguf(String token) {
    return token.startsWith(CONTINUATION) ? token.substring(CONTINUATION.length()) : BEGIN + token;
  }

  private static String token(String text) {
    return text.startsWith(BEGIN) ? text.substring(BEGIN.length()) : CONTINUATION + text;
  }
}
