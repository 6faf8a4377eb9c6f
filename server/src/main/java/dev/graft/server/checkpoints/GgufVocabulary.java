package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The tokens of a GGUF file.
 *
 * @param types as llama.cpp numbers them; all normal where a file has none
 */
record GgufVocabulary(GgufMetadata metadata, List<String> tokens, int[] types) {
  private static final String TYPES = "tokenizer.ggml.token_type";
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  static GgufVocabulary of(GgufMetadata metadata) {
    List<String> tokens =
        metadata
            .texts(GgufTokenizer.TOKENS)
            .orElseThrow(() -> metadata.invalid(GgufTokenizer.TOKENS, "an array of texts"));
    int[] types =
        metadata
            .integers(TYPES)
            .orElseGet(() -> IntStream.generate(() -> NORMAL).limit(tokens.size()).toArray());
    if (types.length != tokens.size()) {
      throw metadata.invalid(TYPES, "of " + tokens.size() + " elements, as are the tokens");
    }
    return new GgufVocabulary(metadata, tokens, types);
  }

  int size() {
    return tokens.size();
  }

  String token(int id) {
    return tokens.get(id);
  }

  boolean isControl(int id) {
    return types[id] == CONTROL || types[id] == UNKNOWN;
  }

  /** Whether it is found in a text before anything else is. */
  boolean isAdded(int id) {
    return !token(id).isEmpty()
        && (types[id] == CONTROL || types[id] == USER_DEFINED || types[id] == UNKNOWN);
  }

  /** Whether it can be put together from others. */
  boolean isText(int id) {
    return types[id] == NORMAL || types[id] == USER_DEFINED || types[id] == UNUSED;
  }

  /** The id of each token. */
  ObjectNode ids() {
    ObjectNode ids = JsonNodeFactory.instance.objectNode();
    for (int id = 0; id < size(); id++) {
      ids.put(token(id), id);
    }
    return ids;
  }

  /** Whether the special token of this role is added to a text. */
  boolean adds(String role, boolean byDefault) {
    return metadata.flag("tokenizer.ggml.add_" + role + "_token", byDefault);
  }

  /** The token of a role, which must be there. */
  int special(String role) {
    return (int) metadata.integer(key(role), 0, size() - 1L);
  }

  /** The token for what no other stands for. */
  OptionalInt unknown() {
    if (metadata.has(key("unknown"))) {
      return OptionalInt.of(special("unknown"));
    }
    for (int id = 0; id < size(); id++) {
      if (types[id] == UNKNOWN) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }

  private static String key(String role) {
    return "tokenizer.ggml." + role + "_token_id";
  }
}
