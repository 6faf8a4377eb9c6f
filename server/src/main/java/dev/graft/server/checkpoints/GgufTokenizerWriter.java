package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a GGUF file says of a tokenizer, from its {@code tokenizer.json}: the reverse of {@link
 * GgufTokenizer}. Keys as convert_hf_to_gguf.py and gguf-py/gguf/vocab.py of llama.cpp write them.
 * Whether they say all of it, {@link TokenizerComparison} tells once they are read back.
 */
public final class GgufTokenizerWriter {
  private final JsonNode tokenizer;
  private final JsonNode model;
  private final JsonNode configuration;
  private final String[] tokens;
  private final int[] types;
  private final Map<String, Object> keys = new LinkedHashMap<>();

  private GgufTokenizerWriter(JsonNode tokenizer, JsonNode configuration, int size) {
    this.tokenizer = tokenizer;
    this.model = tokenizer.path("model");
    this.configuration = configuration;
    this.tokens = new String[size];
    this.types = new int[size];
  }

  /**
   * The keys, in their order.
   *
   * @param configuration {@code config.json}, which names special tokens
   * @param vocabularySize rows of the embeddings; those without a token get one that is unused
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for what GGUF cannot say
   */
  public static Map<String, Object> keys(
      JsonNode tokenizer, JsonNode configuration, int vocabularySize) {
    return new GgufTokenizerWriter(tokenizer, configuration, vocabularySize).write();
  }

  /** Those of a file without tokenizer, for token ids alone. */
  public static Map<String, Object> none() {
    return Map.of(GgufTokenizer.MODEL, "none");
  }

  private Map<String, Object> write() {
    String type = model.path("type").asText();
    if (type.equals("WordPiece")) {
      collect();
      wordPiece();
    } else if (type.equals("BPE") && model.path("byte_fallback").asBoolean()) {
      collect();
      sentencePiece();
    } else if (type.equals("BPE")) {
      GgufPreTokenizer split = preTokenizer();
      collect();
      bytePair(split);
    } else {
      throw TokenizerComparison.unsupported(
          "model.type", type, "kinds of tokenizers in GGUF are BPE and WordPiece");
    }
    specialTokens();
    return keys;
  }

  /** Tokens by their ids, with llama.cpp's types. */
  private void collect() {
    Arrays.fill(types, GgufVocabulary.UNUSED);
    model.path("vocab").properties().forEach(entry -> put(entry.getKey(), entry.getValue()));
    for (JsonNode added : tokenizer.path("added_tokens")) {
      int id = put(added.path("content").asText(), added.path("id"));
      types[id] =
          added.path("special").asBoolean() ? GgufVocabulary.CONTROL : GgufVocabulary.USER_DEFINED;
    }
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) {
        tokens[id] = "[PAD" + id + "]";
      }
    }
  }

  private int put(String token, JsonNode id) {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= tokens.length) {
      throw TokenizerComparison.unsupported(
          "vocab", token, "has id %s, but there are %d embeddings".formatted(id, tokens.length));
    }
    tokens[id.intValue()] = token;
    types[id.intValue()] = GgufVocabulary.NORMAL;
    return id.intValue();
  }

  private void bytePair(GgufPreTokenizer split) {
    keys.put(GgufTokenizer.MODEL, "gpt2");
    keys.put(GgufBytePairTokenizer.PRE, split.text());
    putTokens();
    List<String> merges = new ArrayList<>();
    for (TokenizerComparison.Merge merge : TokenizerComparison.merges(model)) {
      merges.add(merge.left() + " " + merge.right());
    }
    keys.put(GgufBytePairTokenizer.MERGES, merges);
  }

  private GgufPreTokenizer preTokenizer() {
    JsonNode asked = TokenizerComparison.canonical(tokenizer.path("pre_tokenizer"));
    for (GgufPreTokenizer known : GgufPreTokenizer.values()) {
      if (asked.equals(TokenizerComparison.canonical(known.preTokenizer()))) {
        return known;
      }
    }
    throw TokenizerComparison.unsupported(
        "pre_tokenizer",
        tokenizer.path("pre_tokenizer").toString(),
        "GGUF has names for ways to split a text, and those known are " + GgufPreTokenizer.known());
  }

  /** A merge's rank becomes the score of what it makes. */
  private void sentencePiece() {
    String unknown = model.path("unk_token").asText("");
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (TokenizerComparison.Merge merge : TokenizerComparison.merges(model)) {
      ranks.putIfAbsent(merge.left() + merge.right(), ranks.size());
    }
    float[] scores = new float[tokens.length];
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id].equals(unknown)) {
        types[id] = GgufVocabulary.UNKNOWN;
      } else if (types[id] == GgufVocabulary.NORMAL && tokens[id].matches("<0x[0-9A-F]{2}>")) {
        types[id] = GgufVocabulary.BYTE;
      } else if (types[id] == GgufVocabulary.NORMAL) {
        scores[id] = -ranks.getOrDefault(tokens[id], ranks.size());
      }
    }
    keys.put(GgufTokenizer.MODEL, "llama");
    keys.put(GgufBytePairTokenizer.PRE, "default");
    putTokens();
    keys.put("tokenizer.ggml.scores", scores);
    keys.put(
        "tokenizer.ggml.add_space_prefix",
        tokenizer.path("normalizer").findValuesAsText("type").contains("Prepend"));
  }

  /** GGUF marks tokens that begin a word, Hugging Face those that do not. */
  private void wordPiece() {
    for (int id = 0; id < tokens.length; id++) {
      if (types[id] == GgufVocabulary.NORMAL) {
        tokens[id] = GgufWordPieceTokenizer.inGguf(tokens[id]);
      }
    }
    keys.put(GgufTokenizer.MODEL, "bert");
    keys.put(GgufBytePairTokenizer.PRE, "default");
    putTokens();
    keys.put(
        "tokenizer.ggml.normalizer.lowercase",
        tokenizer.path("normalizer").path("lowercase").asBoolean());
  }

  private void putTokens() {
    keys.put(GgufTokenizer.TOKENS, List.of(tokens));
    keys.put("tokenizer.ggml.token_type", types);
  }

  private void specialTokens() {
    TokenizerComparison.Around around = TokenizerComparison.around(tokenizer);
    boolean begins = !around.before().isEmpty();
    boolean ends = !around.after().isEmpty();
    putRole("bos", begins ? around.before().get(0) : configured("bos_token_id"));
    putRole("eos", ends ? around.after().get(0) : configured("eos_token_id"));
    putRole("unknown", id(model.path("unk_token").asText("")));
    if (model.path("type").asText().equals("WordPiece")) {
      putRole("seperator", ends ? around.after().get(0) : -1); // llama.cpp's spelling
      putRole("mask", id("[MASK]"));
    }
    int padding = configured("pad_token_id");
    putRole("padding", padding >= 0 ? padding : id("[PAD]")); // an ONNX graph names none
    keys.put("tokenizer.ggml.add_bos_token", begins);
    keys.put("tokenizer.ggml.add_eos_token", ends);
  }

  private void putRole(String role, int id) {
    if (id >= 0 && id < tokens.length) {
      keys.put("tokenizer.ggml." + role + "_token_id", id);
    }
  }

  /** Some models name several; the first one counts. */
  private int configured(String key) {
    JsonNode id = configuration.path(key);
    return (id.isArray() ? id.path(0) : id).asInt(-1);
  }

  private int id(String token) {
    return Arrays.asList(tokens).indexOf(token);
  }
}
