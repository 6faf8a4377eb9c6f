package dev.graft.server.torch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Texts of programs: resources with {@code $name} placeholders that become literals. */
public final class ProgramText {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\$(\\w+)");

  private ProgramText() {}

  /**
   * Reads the resource {@code name} that stands beside {@code owner}, and fills its placeholders
   * in.
   *
   * @param literals by placeholder name: a String is put in as it is, anything else as its Python
   *     literal
   * @throws IllegalArgumentException for a placeholder without value
   */
  public static String of(Class<?> owner, String name, Map<String, ?> literals) {
    String text = read(owner, name);
    return PLACEHOLDER
        .matcher(text)
        .replaceAll(match -> Matcher.quoteReplacement(literal(match.group(1), literals)));
  }

  private static String literal(String name, Map<String, ?> literals) {
    Object value = literals.get(name);
    if (value == null) {
      throw new IllegalArgumentException("No value for $" + name);
    }
    if (value instanceof Boolean flag) {
      return flag ? "True" : "False";
    }
    return value.toString();
  }

  private static String read(Class<?> owner, String name) {
    try (InputStream in = owner.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("No resource " + name + " beside " + owner);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
