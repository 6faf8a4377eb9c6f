package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A tokenizer is written to GGUF so that it is read back, or it is refused. */
class GgufTokenizerWriterTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Rows of embeddings of the fixtures, and some to spare. */
  private static final int SIZE = 512;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"llama-tiny.q8_0.gguf", "bert-tiny.f32.gguf", "gemma-tiny.q8_0.gguf"})
  void whatWasReadIsWrittenAgain(String name) throws Exception {
    ObjectNode source = fixture(name);

    ObjectNode read = writtenAndRead(source);

    assertThatCode(() -> TokenizerComparison.requireSame(source, read)).doesNotThrowAnyException();
    assertThat(read.at("/model/vocab").size()).isEqualTo(SIZE);
    assertThat(read.at("/model/merges").size()).isEqualTo(source.at("/model/merges").size());
  }

  @ParameterizedTest
  @EnumSource(GgufPreTokenizer.class)
  void everyKnownWayToSplitHasItsName(GgufPreTokenizer pre) throws Exception {
    ObjectNode source = fixture("llama-tiny.q8_0.gguf");
    source.set("pre_tokenizer", pre.preTokenizer());
    source.set("normalizer", pre.normalizer().orElse(null));
    ((ObjectNode) source.get("model")).put("ignore_merges", pre.takesWholeWords());

    ObjectNode read = writtenAndRead(source);

    TokenizerComparison.requireSame(source, read);
    assertThat(TokenizerComparison.canonical(read.get("pre_tokenizer")))
        .isEqualTo(TokenizerComparison.canonical(pre.preTokenizer()));
  }

  @Test
  void olderFilesSayTheSameInOtherWords() throws Exception {
    ObjectNode source = fixture("bert-tiny.f32.gguf");
    source.putObject("post_processor").put("type", "BertProcessing");
    ((ObjectNode) source.get("post_processor")).putArray("cls").add("[CLS]").add(2);
    ((ObjectNode) source.get("post_processor")).putArray("sep").add("[SEP]").add(3);
    TokenizerComparison.requireSame(source, writtenAndRead(source));

    ObjectNode bytePair = fixture("llama-tiny.q8_0.gguf");
    ArrayNode merges = (ArrayNode) bytePair.at("/model/merges");
    for (int i = 0; i < merges.size(); i++) {
      merges.set(i, merges.get(i).get(0).asText() + " " + merges.get(i).get(1).asText());
    }
    TokenizerComparison.requireSame(bytePair, writtenAndRead(bytePair));
  }

  @Test
  void paddingIsFoundByItsNameWhereTheConfigurationIsSilent() throws Exception {
    ObjectNode source = fixture("bert-tiny.f32.gguf");

    assertThat(GgufTokenizerWriter.keys(source, JSON.createObjectNode(), SIZE))
        .containsEntry("tokenizer.ggml.padding_token_id", 0);
  }

  @Test
  void refusesWhatWouldGiveOtherIds() throws Exception {
    assertRefused(
        "llama-tiny.q8_0.gguf",
        tree -> tree.putObject("pre_tokenizer").put("type", "Whitespace"),
        "pre_tokenizer");
    assertRefused(
        "llama-tiny.q8_0.gguf",
        tree -> tree.putObject("normalizer").put("type", "Lowercase"),
        "normalizer");
    assertRefused(
        "llama-tiny.q8_0.gguf", tree -> model(tree).put("ignore_merges", true), "ignore_merges");
    assertRefused("llama-tiny.q8_0.gguf", tree -> model(tree).put("dropout", 0.1), "model.dropout");
    assertRefused("llama-tiny.q8_0.gguf", tree -> model(tree).put("type", "Unigram"), "model.type");
    assertRefused(
        "llama-tiny.q8_0.gguf",
        tree -> ((ObjectNode) tree.at("/added_tokens/0")).put("lstrip", true),
        "added_tokens");
    assertRefused(
        "llama-tiny.q8_0.gguf",
        tree -> ((ObjectNode) tree.at("/model/vocab")).put("beyond", SIZE),
        "vocab");
    assertRefused(
        "bert-tiny.f32.gguf",
        tree -> ((ObjectNode) tree.get("normalizer")).put("strip_accents", false),
        "normalizer");
    assertRefused(
        "bert-tiny.f32.gguf",
        tree -> ((ObjectNode) tree.at("/post_processor/single/0/SpecialToken")).put("type_id", 1),
        "post_processor");
    assertRefused(
        "bert-tiny.f32.gguf",
        tree -> model(tree).put("max_input_chars_per_word", 20),
        "max_input_chars_per_word");
    assertRefused(
        "gemma-tiny.q8_0.gguf",
        tree -> ((ArrayNode) tree.at("/model/merges")).remove(0),
        "model.merges");
  }

  private static ObjectNode model(ObjectNode tokenizer) {
    return (ObjectNode) tokenizer.get("model");
  }

  private void assertRefused(String name, Consumer<ObjectNode> change, String part)
      throws Exception {
    ObjectNode source = fixture(name);
    change.accept(source);
    GraftException refused =
        GraftExceptions.from(() -> TokenizerComparison.requireSame(source, writtenAndRead(source)));
    assertThat(refused.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refused.metadata().get("option")).contains(part);
  }

  private ObjectNode writtenAndRead(ObjectNode source) throws IOException {
    Map<String, Object> keys =
        GgufTokenizerWriter.keys(source, JSON.createObjectNode().put("pad_token_id", 0), SIZE);
    Path file = directory.resolve("tokenizer.gguf");
    Files.deleteIfExists(file);
    GgufWriter.create(file, keys, List.of()).close();
    return GgufTokenizer.tree(Gguf.open(file).metadata()).orElseThrow();
  }

  private static ObjectNode fixture(String name) throws Exception {
    Path file = Path.of(GgufTokenizerWriterTest.class.getResource("/gguf/" + name).toURI());
    return GgufTokenizer.tree(Gguf.open(file).metadata()).orElseThrow();
  }
}
