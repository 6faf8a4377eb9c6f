package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON to the byte as Python's {@code json.dumps(object, indent=2, sort_keys=True)} writes it,
 * which is how transformers writes its files.
 */
public final class PythonJson {
  private static final int MOST_DIGITS = 17;

  private PythonJson() {}

  /** The text, with the line's end that transformers adds. */
  public static String file(JsonNode node) {
    StringBuilder text = new StringBuilder();
    append(text, node, "\n");
    return text.append('\n').toString();
  }

  private static void append(StringBuilder text, JsonNode node, String line) {
    switch (node.getNodeType()) {
      case OBJECT -> {
        Map<String, JsonNode> sorted = new TreeMap<>();
        node.properties().forEach(field -> sorted.put(field.getKey(), field.getValue()));
        List<Runnable> entries = new ArrayList<>();
        sorted.forEach(
            (key, value) ->
                entries.add(
                    () -> {
                      quote(text, key);
                      text.append(": ");
                      append(text, value, line + "  ");
                    }));
        list(text, "{", entries.iterator(), "}", line);
      }
      case ARRAY -> {
        List<Runnable> entries = new ArrayList<>();
        node.forEach(element -> entries.add(() -> append(text, element, line + "  ")));
        list(text, "[", entries.iterator(), "]", line);
      }
      case STRING -> quote(text, node.textValue());
      case NUMBER ->
          text.append(node.isIntegralNumber() ? node.asText() : number(node.doubleValue()));
      case BOOLEAN, NULL -> text.append(node.asText());
      case BINARY, MISSING, POJO -> throw new IllegalArgumentException("Not of JSON: " + node);
    }
  }

  private static void list(
      StringBuilder text, String start, Iterator<Runnable> entries, String end, String line) {
    text.append(start);
    boolean any = entries.hasNext();
    while (entries.hasNext()) {
      text.append(line).append("  ");
      entries.next().run();
      if (entries.hasNext()) {
        text.append(',');
      }
    }
    text.append(any ? line : "").append(end);
  }

  private static void quote(StringBuilder text, String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\f' -> text.append("\\f");
        case '\b' -> text.append("\\b");
        default -> {
          if (c < ' ' || c > '~') {
            text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }

  /** As Python's {@code repr}: the fewest digits that give the number back. */
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    }
    if (value == 0) {
      return 1 / value > 0 ? "0.0" : "-0.0";
    }
    String shortest = "";
    for (int digits = 1; digits <= MOST_DIGITS; digits++) {
      shortest = String.format(Locale.ROOT, "%." + (digits - 1) + "e", value);
      if (Double.parseDouble(shortest) == value) {
        break;
      }
    }
    int exponent = Integer.parseInt(shortest.substring(shortest.indexOf('e') + 1));
    if (exponent < -4 || exponent >= 16) {
      return shortest; // both languages write at least two digits of the exponent, with its sign
    }
    String plain = new BigDecimal(shortest).toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }
}
