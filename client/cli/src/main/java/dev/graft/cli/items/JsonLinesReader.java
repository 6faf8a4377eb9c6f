package dev.graft.cli.items;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.graft.v1.Content;
import dev.graft.v1.TokenIds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** JSON lines: {@code {"id"?, "text" | "input_ids", "label"?, "pair"?}}; other keys are ignored. */
final class JsonLinesReader implements ItemReader {
  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .reader();

  private static final long MAX_TOKEN_ID = 0xFFFFFFFFL;

  private final Path file;
  private final Lines lines;
  private long items;

  JsonLinesReader(Path file) throws IOException {
    this.file = file;
    this.lines = new Lines(file);
  }

  @Override
  public Optional<InputItem> next() throws IOException {
    String line = lines.next();
    while (line != null && line.isBlank()) {
      line = lines.next();
    }
    if (line == null) {
      return Optional.empty();
    }
    JsonNode json = parse(line);
    if (!json.isObject()) {
      throw bad("an item must be a JSON object, this is " + kind(json));
    }
    return Optional.of(
        new InputItem(
            items++,
            lines.number(),
            id(json.get("id")),
            content(json, "the item"),
            pair(json.get("pair")),
            label(json.get("label"))));
  }

  private JsonNode parse(String line) throws IOException {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
      throw bad("not valid JSON" + where + ": " + e.getOriginalMessage());
    }
  }

  private Optional<String> id(JsonNode id) {
    if (id == null || id.isNull()) {
      return Optional.empty();
    }
    if (!id.isTextual() && !id.isIntegralNumber()) {
      throw bad("\"id\" must be a string, this is " + kind(id));
    }
    return Optional.of(id.asText());
  }

  private Content content(JsonNode json, String what) {
    JsonNode text = json.get("text");
    JsonNode ids = json.get("input_ids");
    if (text != null && ids != null) {
      throw bad(what + " has both \"text\" and \"input_ids\"; keep one");
    }
    if (text != null) {
      if (!text.isTextual()) {
        throw bad("\"text\" must be a string, this is " + kind(text));
      }
      return text(text);
    }
    if (ids != null) {
      return tokenIds(ids);
    }
    List<String> keys = new ArrayList<>();
    json.fieldNames().forEachRemaining(keys::add);
    throw bad(what + " needs \"text\" or \"input_ids\"; its keys are " + keys);
  }

  private static Content text(JsonNode text) {
    return Content.newBuilder().setText(text.textValue()).build();
  }

  private Content tokenIds(JsonNode ids) {
    if (!ids.isArray() || ids.isEmpty()) {
      throw bad("\"input_ids\" must be a list of at least one token id");
    }
    TokenIds.Builder tokens = TokenIds.newBuilder();
    for (JsonNode id : ids) {
      if (!id.isIntegralNumber()
          || !id.canConvertToLong()
          || id.longValue() < 0
          || id.longValue() > MAX_TOKEN_ID) {
        throw bad("\"input_ids\" has " + id + ", which is not a token id");
      }
      tokens.addIds((int) id.longValue());
    }
    return Content.newBuilder().setTokenIds(tokens).build();
  }

  private Optional<Content> pair(JsonNode pair) {
    if (pair == null || pair.isNull()) {
      return Optional.empty();
    }
    if (pair.isTextual()) {
      return Optional.of(text(pair));
    }
    if (pair.isObject()) {
      return Optional.of(content(pair, "\"pair\""));
    }
    throw bad("\"pair\" must be a string or an object with \"text\" or \"input_ids\"");
  }

  private Optional<LabelValue> label(JsonNode label) {
    if (label == null || label.isNull()) {
      return Optional.empty();
    }
    if (!label.isArray()) {
      return Optional.of(LabelValue.one(scalar(label)));
    }
    List<LabelValue.Scalar> values = new ArrayList<>();
    label.forEach(value -> values.add(scalar(value)));
    return Optional.of(LabelValue.list(values));
  }

  private LabelValue.Scalar scalar(JsonNode value) {
    if (value.isTextual() || value.isBoolean()) {
      return new LabelValue.Scalar(value.asText(), LabelValue.Kind.TEXT);
    }
    if (value.isIntegralNumber() && value.canConvertToLong()) {
      return new LabelValue.Scalar(value.asText(), LabelValue.Kind.WHOLE_NUMBER);
    }
    if (value.isFloatingPointNumber() && Float.isFinite(value.floatValue())) {
      return new LabelValue.Scalar(value.asText(), LabelValue.Kind.REAL_NUMBER);
    }
    throw bad("\"label\" must be a string, a finite number or a list of these, this is " + value);
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "a list";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> "a number";
      case BOOLEAN -> "a boolean";
      case NULL -> "null";
      case BINARY, MISSING, POJO -> "something else";
    };
  }

  private BadItemException bad(String what) {
    return new BadItemException(file, lines.number(), what);
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
