package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * SentencePiece BPE with bytes for what it does not know, which GGUF calls llama. Its merges are
 * what its tokens can be split into, the best score first, as transformers' converter makes them
 * (convert_slow_tokenizer.py).
 */
final class GgufSentencePieceTokenizer {
  private static final String SCORES = "tokenizer.ggml.scores";
  private static final String PRE = "tokenizer.ggml.pre";
  private static final String SPACE = "\u2581";

  /** SentencePiece's own limit is 16 by default; keeps hostile vocabularies cheap. */
  private static final int MAX_PIECE_LENGTH = 256;

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private GgufSentencePieceTokenizer() {}

  private record Merge(String left, String right, float score) {}

  static ObjectNode of(GgufVocabulary vocabulary) {
    GgufMetadata metadata = vocabulary.metadata();
    if (!metadata.optionalText(PRE).orElse("default").equals("default")) {
      throw metadata.unsupported(PRE, "SentencePiece tokenizers split texts in their default way");
    }
    ObjectNode model = JSON.objectNode().put("type", "BPE");
    model.putNull("dropout");
    vocabulary
        .unknown()
        .ifPresentOrElse(
            id -> model.put("unk_token", vocabulary.token(id)), () -> model.putNull("unk_token"));
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
    model.set("vocab", vocabulary.ids());
    ArrayNode merges = model.putArray("merges");
    for (Merge merge : merges(vocabulary)) {
      merges.addArray().add(merge.left).add(merge.right);
    }
    List<ObjectNode> normalizers = new ArrayList<>();
    if (metadata.flag("tokenizer.ggml.add_space_prefix", true)) {
      normalizers.add(JSON.objectNode().put("type", "Prepend").put("prepend", SPACE));
    }
    ObjectNode replace = JSON.objectNode().put("type", "Replace");
    replace.putObject("pattern").put("String", " ");
    normalizers.add(replace.put("content", SPACE));
    return GgufTokenizer.tokenizer(
        vocabulary,
        model,
        Optional.of(GgufTokenizer.sequence("normalizers", normalizers)),
        Optional.empty(),
        true,
        false);
  }

  private static List<Merge> merges(GgufVocabulary vocabulary) {
    GgufMetadata metadata = vocabulary.metadata();
    float[] scores =
        metadata
            .floats(SCORES)
            .orElseThrow(() -> metadata.invalid(SCORES, "an array of 32-bit floats"));
    if (scores.length != vocabulary.size()) {
      throw metadata.invalid(SCORES, "of " + vocabulary.size() + " elements, as are the tokens");
    }
    Set<String> texts = new HashSet<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.isText(id)) {
        texts.add(vocabulary.token(id));
      }
    }
    List<Merge> merges = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String token = vocabulary.token(id);
      if (vocabulary.isText(id) && token.length() <= MAX_PIECE_LENGTH) {
        for (int split = 1; split < token.length(); split++) {
          String left = token.substring(0, split);
          String right = token.substring(split);
          if (texts.contains(left) && texts.contains(right)) {
            merges.add(new Merge(left, right, scores[id]));
          }
        }
      }
    }
    merges.sort(
        Comparator.comparing(Merge::score)
            .thenComparing(merge -> length(merge.left))
            .thenComparing(merge -> length(merge.right))
            .reversed());
    return merges;
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}
