package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a GGUF file says of its model, key by key, read with types and ranges checked. */
public final class GgufMetadata {
  private final Path file;
  private final Map<String, GgufValue> values;

  GgufMetadata(Path file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = new LinkedHashMap<>(values);
  }

  Path file() {
    return file;
  }

  /** In the order of the file. */
  public Set<String> keys() {
    return values.keySet();
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  /** A text that must be there. */
  public String text(String key) {
    return optionalText(key).orElseThrow(() -> invalid(key, "a text"));
  }

  Optional<String> optionalText(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof GgufValue.Text text) {
      return Optional.of(text.value());
    }
    throw invalid(key, "a text");
  }

  boolean flag(String key, boolean defaultValue) {
    GgufValue value = values.get(key);
    if (value == null) {
      return defaultValue;
    }
    if (value instanceof GgufValue.Flag flag) {
      return flag.value();
    }
    throw invalid(key, "true or false");
  }

  /** An integer that must be there. */
  long integer(String key, long least, long most) {
    if (values.get(key) instanceof GgufValue.Whole whole
        && whole.value() >= least
        && whole.value() <= most) {
      return whole.value();
    }
    throw invalid(key, "an integer from %d to %d".formatted(least, most));
  }

  long integer(String key, long defaultValue, long least, long most) {
    return has(key) ? integer(key, least, most) : defaultValue;
  }

  /** A finite number that must be there. */
  double number(String key) {
    GgufValue value = values.get(key);
    if (value instanceof GgufValue.Real real && Double.isFinite(real.value())) {
      return real.value();
    }
    if (value instanceof GgufValue.Whole whole) {
      return whole.value();
    }
    throw invalid(key, "a finite number");
  }

  double number(String key, double defaultValue) {
    return has(key) ? number(key) : defaultValue;
  }

  /** Texts; empty where the key is absent. */
  Optional<List<String>> texts(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    GgufValue.Elements elements = elements(key, "texts", GgufValue.Type.TEXT);
    ByteBuffer bytes = elements.bytes().duplicate().order(elements.bytes().order());
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < elements.count(); i++) {
      int length = (int) bytes.getLong(); // the reader has checked it
      ByteBuffer one = bytes.slice(bytes.position(), length);
      bytes.position(bytes.position() + length);
      try {
        texts.add(StandardCharsets.UTF_8.newDecoder().decode(one).toString());
      } catch (CharacterCodingException e) {
        throw invalid(key, "valid UTF-8 in element " + i).causedBy(e);
      }
    }
    return Optional.of(texts);
  }

  /** 32-bit integers; empty where the key is absent. */
  Optional<int[]> integers(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    GgufValue.Elements elements =
        elements(key, "32-bit integers", GgufValue.Type.I32, GgufValue.Type.U32);
    int[] integers = new int[elements.count()];
    elements.bytes().duplicate().order(elements.bytes().order()).asIntBuffer().get(integers);
    return Optional.of(integers);
  }

  /** 32-bit floats; empty where the key is absent. */
  Optional<float[]> floats(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    GgufValue.Elements elements = elements(key, "32-bit floats", GgufValue.Type.F32);
    float[] floats = new float[elements.count()];
    elements.bytes().duplicate().order(elements.bytes().order()).asFloatBuffer().get(floats);
    return Optional.of(floats);
  }

  private GgufValue.Elements elements(String key, String what, GgufValue.Type... types) {
    if (values.get(key) instanceof GgufValue.Elements elements
        && List.of(types).contains(elements.type())) {
      return elements;
    }
    throw invalid(key, "an array of " + what);
  }

  /** The error of a value that no model can have. */
  GraftException invalid(String key, String expected) {
    return Corruption.of(file, "%s must be %s; found %s".formatted(key, expected, shown(key)))
        .with("key", key);
  }

  /** The error of a setting that is not implemented. */
  GraftException unsupported(String key, String why) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "%s: %s = %s is not supported: %s".formatted(file, key, shown(key), why))
        .with("option", key)
        .with("value", shown(key));
  }

  private String shown(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      return "nothing";
    }
    String text;
    if (value instanceof GgufValue.Whole whole) {
      text = Long.toString(whole.value());
    } else if (value instanceof GgufValue.Real real) {
      text = Double.toString(real.value());
    } else if (value instanceof GgufValue.Flag flag) {
      text = Boolean.toString(flag.value());
    } else if (value instanceof GgufValue.Text words) {
      text = words.value();
    } else if (value instanceof GgufValue.Elements elements) {
      text = elements.count() + " elements of type " + elements.type();
    } else {
      throw new AssertionError("Unknown value " + value);
    }
    return text.length() <= 100 ? text : text.substring(0, 100) + "…";
  }
}
