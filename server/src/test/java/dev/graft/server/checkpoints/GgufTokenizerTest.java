package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.GraftException;
import dev.graft.server.extraction.TextTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Token ids, against those of llama.cpp for the same file. */
class GgufTokenizerTest {
  private static final int NO_LIMIT = 1 << 20;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"llama-tiny.q8_0.gguf", "bert-tiny.f32.gguf", "gemma-tiny.q8_0.gguf"})
  void idsAreTheReferences(String name) throws Exception {
    assertIds(Path.of(GgufTokenizerTest.class.getResource("/gguf/" + name).toURI()), name);
  }

  /** As in {@link dev.graft.server.backbones}: {@code -Dgraft.test.smollm2=FILE}. */
  @Test
  @EnabledIfSystemProperty(named = "graft.test.smollm2", matches = ".+")
  void aPublishedModelHasTheReferencesIds() throws IOException {
    assertIds(Path.of(System.getProperty("graft.test.smollm2")), "SmolLM2-135M-Instruct.Q4_1.gguf");
  }

  @Test
  void llama3BeginsTextsAndKeepsNumbersOfThreeDigits() throws IOException {
    List<String> tokens = List.of("<s>", "1", "2", "3", "4", "12", "123", "\u0120", "a");
    Map<String, Object> metadata = bytePair("llama-bpe", tokens);
    metadata.put("tokenizer.ggml.bos_token_id", 0);

    assertThat(ids(metadata, "1234 a")).containsExactly(0, 6, 4, 7, 8);
  }

  @Test
  void qwenSplitsDigitsAndComposesCharacters() throws IOException {
    List<String> tokens = List.of("1", "2", "12", "e", "\u00c3", "\u00a9", "\u00c3\u00a9");
    Map<String, Object> metadata = bytePair("qwen2", tokens);

    assertThat(ids(metadata, "12e\u0301")).containsExactly(0, 1, 4, 5);
  }

  @Test
  void refusesAnUnknownPreTokenizer() throws IOException {
    Map<String, Object> metadata = bytePair("tomorrow", List.of("a"));

    GraftException error = GraftExceptions.from(() -> ids(metadata, "a"));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error).hasMessageContaining("tokenizer.ggml.pre = tomorrow is not supported");
  }

  @Test
  void refusesAnUnknownKind() throws IOException {
    Map<String, Object> metadata = bytePair("default", List.of("a"));
    metadata.put("tokenizer.ggml.model", "t5");

    GraftException error = GraftExceptions.from(() -> ids(metadata, "a"));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error).hasMessageContaining("tokenizer.ggml.model = t5");
  }

  @Test
  void refusesTypesOfOtherTokens() throws IOException {
    Map<String, Object> metadata = bytePair("gpt-2", List.of("a"));
    metadata.put("tokenizer.ggml.token_type", new int[] {1, 1});

    GraftException error = GraftExceptions.from(() -> ids(metadata, "a"));

    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
  }

  @Test
  void refusesASpecialTokenThatIsNone() throws IOException {
    Map<String, Object> metadata = bytePair("gpt-2", List.of("a"));
    metadata.put("tokenizer.ggml.add_bos_token", true);
    metadata.put("tokenizer.ggml.bos_token_id", 1);

    GraftException error = GraftExceptions.from(() -> ids(metadata, "a"));

    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error).hasMessageContaining("tokenizer.ggml.bos_token_id must be");
  }

  private static Map<String, Object> bytePair(String pre, List<String> tokens) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", pre);
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.merges", List.of());
    return metadata;
  }

  private List<Integer> ids(Map<String, Object> metadata, String text) throws IOException {
    Path file = directory.resolve("tokenizer.gguf");
    GgufWriter.create(file, metadata, List.of()).close();
    String json = GgufTokenizer.json(Gguf.open(file).metadata()).orElseThrow();
    try (TextTokenizer tokenizer = TextTokenizer.of(json, file)) {
      return ids(tokenizer, text);
    }
  }

  private static void assertIds(Path file, String name) throws IOException {
    JsonNode cases;
    try (InputStream in =
        GgufTokenizerTest.class.getResourceAsStream("/gguf/tokenizer_cases.json")) {
      cases = new ObjectMapper().readTree(in).get(name);
    }
    String json = GgufTokenizer.json(Gguf.open(file).metadata()).orElseThrow();
    try (TextTokenizer tokenizer = TextTokenizer.of(json, file)) {
      assertThat(cases).hasSize(20);
      for (JsonNode each : cases) {
        List<Integer> expected = new ArrayList<>();
        each.get("ids").forEach(id -> expected.add(id.intValue()));
        String text = each.get("text").textValue();
        assertThat(ids(tokenizer, text)).as(text).isEqualTo(expected);
      }
    }
  }

  private static List<Integer> ids(TextTokenizer tokenizer, String text) {
    List<Integer> ids = new ArrayList<>();
    for (int id : tokenizer.tokenize(0, text, NO_LIMIT).ids()) {
      ids.add(id);
    }
    return ids;
  }
}
