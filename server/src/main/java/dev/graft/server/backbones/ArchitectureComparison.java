package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Whether two models are computed alike, fact by fact. */
final class ArchitectureComparison {
  private static final double TOLERANCE = 1e-6; // numbers have 32 bits in GGUF

  private ArchitectureComparison() {}

  /**
   * Checks what a GGUF file says of a model.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION naming what differs
   */
  static void requireSame(Architecture written, Architecture read) {
    Map<String, Object> these = facts(written);
    Map<String, Object> those = facts(read);
    these.forEach(
        (fact, value) -> {
          if (!same(value, those.get(fact))) {
            throw GraftException.failedPrecondition(
                    "UNSUPPORTED_OPTION",
                    "config.json: GGUF cannot say that %s is %s; it would be read as %s. Choose another scheme"
                        .formatted(fact, value, those.get(fact)))
                .with("option", fact)
                .with("value", value);
          }
        });
  }

  /** All that decides what is computed. */
  private static Map<String, Object> facts(Architecture architecture) {
    Map<String, Object> facts = new TreeMap<>(architecture.literals());
    facts.keySet().removeAll(architecture.activation().literals().keySet());
    Object window = facts.get("window");
    if (window instanceof Integer size && size >= architecture.maxTokens()) {
      facts.remove("window"); // nothing lies outside
      facts.remove("slides");
    }
    facts.put("blocks", architecture.blocks());
    facts.put("hidden_size", architecture.hiddenSize());
    facts.put("vocab_size", architecture.vocabularySize());
    facts.put("type_vocab_size", architecture.tokenTypes());
    facts.put("max_position_embeddings", architecture.maxTokens());
    facts.put("is_causal", architecture.causal());
    facts.put("hidden_act", architecture.activation());
    facts.put("program", architecture.texts());
    facts.put("tensors", sizes(architecture.outside()));
    facts.put("tensors of a block", sizes(architecture.inBlock()));
    return facts;
  }

  private static String sizes(List<Parameter> parameters) {
    return String.join(
        ", ", parameters.stream().map(each -> each.name() + " " + each.shape()).toList());
  }

  private static boolean same(Object one, Object other) {
    if (one instanceof Double first && other instanceof Number second) {
      return Math.abs(first - second.doubleValue()) <= TOLERANCE * Math.abs(first);
    }
    return one.equals(other);
  }
}
