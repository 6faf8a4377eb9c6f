package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/**
 * The tokenizer in a GGUF file as the text of a Hugging Face {@code tokenizer.json} that gives the
 * same ids. Special tokens are found in texts, as Hugging Face's tokenizers do.
 */
final class GgufTokenizer {
  static final String TOKENS = "tokenizer.ggml.tokens";

  static final String MODEL = "tokenizer.ggml.model";
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private GgufTokenizer() {}

  /**
   * The text; empty for a file without tokenizer.
   *
   * @throws dev.graft.server.GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for kinds of
   *     tokenizers and pre-tokenizers that are not known
   */
  static Optional<String> json(GgufMetadata metadata) {
    return tree(metadata).map(ObjectNode::toString);
  }

  /** The same before it is written down. */
  static Optional<ObjectNode> tree(GgufMetadata metadata) {
    String model = metadata.optionalText(MODEL).orElse("none");
    return switch (model) {
      case "none", "no_vocab" -> Optional.empty();
      case "gpt2" -> Optional.of(GgufBytePairTokenizer.of(GgufVocabulary.of(metadata)));
      case "llama" -> Optional.of(GgufSentencePieceTokenizer.of(GgufVocabulary.of(metadata)));
      case "bert" -> Optional.of(GgufWordPieceTokenizer.of(GgufVocabulary.of(metadata)));
      default ->
          throw metadata.unsupported(
              MODEL, "the kinds of tokenizers that are read are gpt2, llama and bert");
    };
  }

  /** A tokenizer with its added tokens, and the special tokens that it puts around a text. */
  static ObjectNode tokenizer(
      GgufVocabulary vocabulary,
      ObjectNode model,
      Optional<ObjectNode> normalizer,
      Optional<ObjectNode> preTokenizer,
      boolean beginsByDefault,
      boolean endsByDefault) {
    ObjectNode tokenizer = JSON.objectNode().put("version", "1.0");
    tokenizer.putNull("truncation").putNull("padding");
    ArrayNode added = tokenizer.putArray("added_tokens");
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.isAdded(id)) {
        added
            .addObject()
            .put("id", id)
            .put("content", vocabulary.token(id))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", vocabulary.isControl(id));
      }
    }
    tokenizer.set("normalizer", normalizer.orElse(null));
    tokenizer.set("pre_tokenizer", preTokenizer.orElse(null));
    tokenizer.set("post_processor", around(vocabulary, beginsByDefault, endsByDefault));
    tokenizer.putNull("decoder");
    tokenizer.set("model", model);
    return tokenizer;
  }

  private static ObjectNode around(GgufVocabulary vocabulary, boolean begins, boolean ends) {
    ObjectNode template = JSON.objectNode().put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    ObjectNode special = JSON.objectNode();
    if (vocabulary.adds("bos", begins)) {
      special(single, special, vocabulary, vocabulary.special("bos"));
    }
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    if (vocabulary.adds("eos", ends)) {
      special(single, special, vocabulary, vocabulary.special("eos"));
    }
    ArrayNode pair = template.putArray("pair"); // must be there, and is never used
    pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
    template.set("special_tokens", special);
    return template;
  }

  private static void special(
      ArrayNode template, ObjectNode special, GgufVocabulary vocabulary, int id) {
    String token = vocabulary.token(id);
    template.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
    ObjectNode meaning = special.putObject(token).put("id", token);
    meaning.putArray("ids").add(id);
    meaning.putArray("tokens").add(token);
  }

  /** A step of several. */
  static ObjectNode sequence(String steps, List<ObjectNode> of) {
    ObjectNode sequence = JSON.objectNode().put("type", "Sequence");
    sequence.putArray(steps).addAll(of);
    return sequence;
  }
}
