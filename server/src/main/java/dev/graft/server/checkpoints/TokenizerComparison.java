package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Whether two {@code tokenizer.json} give the same ids, part by part. Left out is what changes no
 * id of a single text: decoder, offsets, padding, truncation, templates of pairs.
 */
public final class TokenizerComparison {
  private TokenizerComparison() {}

  /** Two tokens that become one. */
  record Merge(String left, String right) {}

  /** Special tokens' ids before and after a text. */
  record Around(List<Integer> before, List<Integer> after) {}

  /**
   * Checks what a GGUF file says of a tokenizer.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION naming the part that differs
   */
  public static void requireSame(ObjectNode written, ObjectNode read) {
    require(
        "normalizer", canonical(written.path("normalizer")), canonical(read.path("normalizer")));
    require(
        "pre_tokenizer",
        canonical(written.path("pre_tokenizer")),
        canonical(read.path("pre_tokenizer")));
    require("post_processor", around(written), around(read));
    JsonNode model = written.path("model");
    JsonNode readModel = read.path("model");
    for (String option :
        List.of(
            "type",
            "dropout",
            "continuing_subword_prefix",
            "end_of_word_suffix",
            "byte_fallback",
            "ignore_merges",
            "max_input_chars_per_word")) {
      require("model." + option, setting(model.path(option)), setting(readModel.path(option)));
    }
    requireUnknown(model, readModel);
    requireVocabulary(model.path("vocab"), readModel.path("vocab"));
    if (model.path("byte_fallback").asBoolean()) {
      require("model.merges", splits(model), splits(readModel));
    } else {
      require("model.merges", merges(model), merges(readModel));
    }
    require("added_tokens", added(written), added(read));
  }

  /** An option that is absent, null, false, empty or 0 is not set. */
  private static String setting(JsonNode option) {
    return option.asText("").replaceFirst("^(false|0|0\\.0)$", "");
  }

  /** What stands for unknown parts of a text; there are none where every byte is a token. */
  private static void requireUnknown(JsonNode model, JsonNode read) {
    boolean everyByte =
        model.path("type").asText().equals("BPE") && hasEveryByte(model.path("vocab"));
    if (!everyByte) {
      for (String option : List.of("unk_token", "fuse_unk")) {
        require("model." + option, setting(model.path(option)), setting(read.path(option)));
      }
    }
  }

  /** Whether the vocabulary has the 256 characters that byte-level BPE writes bytes as. */
  private static boolean hasEveryByte(JsonNode vocabulary) {
    int others = 256;
    for (int each = 0; each < 256; each++) {
      boolean printed =
          (each >= '!' && each <= '~') || (each >= 0xa1 && each <= 0xac) || each >= 0xae;
      String character = Character.toString(printed ? each : others++);
      if (!vocabulary.has(character)) {
        return false;
      }
    }
    return true;
  }

  private static void requireVocabulary(JsonNode written, JsonNode read) {
    for (Map.Entry<String, JsonNode> token : written.properties()) {
      require(
          "model.vocab: " + token.getKey(),
          token.getValue().asInt(-1),
          read.path(token.getKey()).asInt(-1));
    }
  }

  /** Merges in their order; older files have texts with a space between. */
  static List<Merge> merges(JsonNode model) {
    List<Merge> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      String text = merge.asText();
      int space = text.indexOf(' ', 1);
      merges.add(
          merge.isArray()
              ? new Merge(merge.path(0).asText(), merge.path(1).asText())
              : new Merge(text.substring(0, Math.max(0, space)), text.substring(space + 1)));
    }
    return merges;
  }

  /** The tokens that merges make, in the order of their first, with all pairs that make them. */
  private static List<String> splits(JsonNode model) {
    Map<String, TreeSet<String>> splits = new LinkedHashMap<>();
    for (Merge merge : merges(model)) {
      splits
          .computeIfAbsent(merge.left() + merge.right(), key -> new TreeSet<>())
          .add(merge.left());
    }
    return splits.entrySet().stream().map(Map.Entry::toString).toList();
  }

  /** By id; with a normalizer, it matters whether they are looked for before it. */
  private static Map<Integer, String> added(JsonNode tokenizer) {
    JsonNode normalizer = tokenizer.path("normalizer");
    boolean early = !normalizer.isObject() || normalizer.path("type").asText().equals("NFC");
    Map<Integer, String> added = new TreeMap<>();
    for (JsonNode token : tokenizer.path("added_tokens")) {
      StringBuilder text = new StringBuilder(token.path("content").asText());
      for (String flag : List.of("special", "single_word", "lstrip", "rstrip", "normalized")) {
        if (token.path(flag).asBoolean() && !(flag.equals("normalized") && early)) {
          text.append(' ').append(flag);
        }
      }
      added.put(token.path("id").asInt(), text.toString());
    }
    return added;
  }

  /** A normalizer or pre-tokenizer without what changes no id. */
  static JsonNode canonical(JsonNode step) {
    if (!(step instanceof ObjectNode)) {
      return NullNode.instance;
    }
    ObjectNode copy = step.deepCopy();
    for (String steps : List.of("normalizers", "pretokenizers")) {
      if (copy.path("type").asText().equals("Sequence") && copy.path(steps).isArray()) {
        ArrayNode several = copy.arrayNode();
        copy.path(steps).forEach(each -> several.add(canonical(each)));
        if (several.size() < 2) {
          return several.isEmpty() ? NullNode.instance : several.get(0);
        }
        copy.set(steps, several);
      }
    }
    copy.remove("trim_offsets");
    if (copy.path("type").asText().equals("ByteLevel") && !copy.has("use_regex")) {
      copy.put("use_regex", true);
    }
    if (copy.path("type").asText().equals("BertNormalizer")
        && !copy.path("strip_accents").isBoolean()) {
      copy.put("strip_accents", copy.path("lowercase").asBoolean());
    }
    return copy;
  }

  /** What the post-processor puts around a text. */
  static Around around(JsonNode tokenizer) {
    List<Integer> before = new ArrayList<>();
    List<Integer> after = new ArrayList<>();
    around(tokenizer.path("post_processor"), before, after);
    if (before.size() > 1 || after.size() > 1) {
      throw unsupported(
          "post_processor",
          before + " … " + after,
          "GGUF has at most one special token before a text and one after it");
    }
    return new Around(before, after);
  }

  private static void around(JsonNode processor, List<Integer> before, List<Integer> after) {
    String type = processor.path("type").asText("");
    switch (type) {
      case "", "ByteLevel" -> {}
      case "Sequence" -> {
        for (JsonNode each : processor.path("processors")) {
          around(each, before, after);
        }
      }
      case "BertProcessing", "RobertaProcessing" -> {
        before.add(processor.path("cls").path(1).asInt());
        after.add(processor.path("sep").path(1).asInt());
      }
      case "TemplateProcessing" -> template(processor, before, after);
      default ->
          throw unsupported(
              "post_processor", type, "it decides which special tokens stand around a text");
    }
  }

  private static void template(JsonNode processor, List<Integer> before, List<Integer> after) {
    boolean text = false;
    for (JsonNode part : processor.path("single")) {
      JsonNode special = part.path("SpecialToken");
      JsonNode either = special.isObject() ? special : part.path("Sequence");
      if (either.path("type_id").asInt() != 0) {
        throw unsupported(
            "post_processor", part.toString(), "all tokens of a text have type 0 in GGUF");
      }
      if (!special.isObject()) {
        text = true;
        continue;
      }
      List<Integer> side = text ? after : before;
      processor
          .path("special_tokens")
          .path(special.path("id").asText())
          .path("ids")
          .forEach(id -> side.add(id.asInt()));
    }
  }

  private static void require(String part, Object written, Object read) {
    if (!written.equals(read)) {
      throw unsupported(
          part, String.valueOf(written), "GGUF would say %s instead".formatted(shown(read)));
    }
  }

  static GraftException unsupported(String part, String value, String why) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "tokenizer.json: %s = %s cannot be written to GGUF: %s. Choose another scheme, or take tokenizer.json out of the source: the file is then for token ids alone"
                .formatted(part, shown(value), why))
        .with("option", "tokenizer.json: " + part)
        .with("value", shown(value));
  }

  private static String shown(Object value) {
    String text = String.valueOf(value);
    return text.length() <= 200 ? text : text.substring(0, 200) + "…";
  }
}
