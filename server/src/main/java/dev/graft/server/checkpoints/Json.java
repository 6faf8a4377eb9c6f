package dev.graft.server.checkpoints;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON that others wrote: UTF-8 and nothing else, no key twice, no end of names to intern. */
final class Json {
  /** Far above every real config.json and shard index. */
  private static final long MAX_FILE_BYTES = 64L << 20;

  private static final JsonFactory STRICT = strict().build();

  /** Python writes Infinity and NaN into configurations. */
  private static final JsonFactory LENIENT_NUMBERS =
      strict().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final ObjectMapper TREES = new ObjectMapper();

  private Json() {}

  private static JsonFactoryBuilder strict() {
    return new JsonFactoryBuilder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES);
  }

  /** A parser that throws {@link CharacterCodingException} at the first byte that is not UTF-8. */
  static JsonParser parser(byte[] json) throws IOException {
    return parser(STRICT, json);
  }

  private static JsonParser parser(JsonFactory factory, byte[] json) throws IOException {
    // Through a reader: given bytes, Jackson would guess UTF-16 and UTF-32 as well.
    return factory.createParser(
        new InputStreamReader(
            new ByteArrayInputStream(json),
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)));
  }

  /** The object in a file. */
  static ObjectNode readObject(Path file) {
    byte[] json;
    try {
      long size = Files.size(file);
      if (size > MAX_FILE_BYTES) {
        throw Corruption.of(
            file, "has %d bytes, more than the limit of %d".formatted(size, MAX_FILE_BYTES));
      }
      json = Files.readAllBytes(file);
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
    try (JsonParser parser = parser(LENIENT_NUMBERS, json)) {
      JsonNode node = TREES.reader().readTree(parser);
      if (node instanceof ObjectNode object && parser.nextToken() == null) {
        return object;
      }
      throw Corruption.of(file, "does not hold one JSON object");
    } catch (CharacterCodingException e) {
      throw Corruption.of(file, "is not valid UTF-8").causedBy(e);
    } catch (JsonProcessingException e) {
      throw Corruption.of(
              file,
              "is not valid JSON at line %d: %s"
                  .formatted(e.getLocation().getLineNr(), e.getOriginalMessage()))
          .causedBy(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no device under a byte array
    }
  }
}
