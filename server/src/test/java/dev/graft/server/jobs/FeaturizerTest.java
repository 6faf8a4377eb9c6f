package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.extraction.FeatureStream;
import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Lanes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Items that a backbone cannot take are refused, with their place, before they reach a lane. */
class FeaturizerTest {
  private static final ItemPlace PLACE = ItemPlace.pair("train_items", -1);

  private final TestWorker worker = new TestWorker(TestWorker.GOLDEN);

  @AfterEach
  void closeWorker() {
    worker.close();
  }

  @Test
  void tokenTypesOutsideTheRange() {
    GraftException error = refused("bert", tokens(new int[] {1, 2}, new int[] {0, 2}));
    assertThat(error.reason()).isEqualTo("TOKEN_OUT_OF_RANGE");
    assertThat(error).hasMessageContaining("token type id 2").hasMessageContaining("0 to 1");
    assertField(error, "token_ids.token_type_ids");
    assertThat(refused("bert", tokens(new int[] {1, 2}, new int[] {0, 1}))).isNull();
  }

  @Test
  void tokenTypesWhereThereAreNone() {
    GraftException error = refused("llama_gqa", tokens(new int[] {1, 2}, new int[] {0, 1}));
    assertThat(error.reason()).isEqualTo("TOKEN_OUT_OF_RANGE");
    assertThat(error).hasMessageContaining("llama").hasMessageContaining("no token types");
    assertField(error, "token_ids.token_type_ids");
    assertThat(refused("llama_gqa", tokens(new int[] {1, 2}, null))).isNull();
  }

  @Test
  void tokensOutsideTheVocabulary() {
    GraftException error = refused("bert", tokens(new int[] {1, -1}, null));
    assertThat(error.reason()).isEqualTo("TOKEN_OUT_OF_RANGE");
    assertThat(error).hasMessageContaining("4294967295").hasMessageContaining("0 to 99");
    assertField(error, "token_ids.ids");
  }

  @Test
  void tooManyTokens() {
    GraftException error = refused("bert", tokens(new int[65], null));
    assertThat(error.reason()).isEqualTo("ITEM_TOO_LONG");
    assertField(error, "token_ids.ids");
  }

  @Test
  void textWithoutTokenizer() {
    GraftException error = refused("bert", new Content.Text("text"));
    assertThat(error.reason()).isEqualTo("NO_TOKENIZER");
    assertField(error, "text");
  }

  /** What a GGUF file says of its tokenizer may be new; its weights are not. */
  @Test
  void textWhoseTokenizerIsNotUnderstood(@TempDir Path directory) throws IOException {
    byte[] file = Files.readAllBytes(Path.of("src/test/resources/gguf/llama-tiny.q8_0.gguf"));
    String text = new String(file, StandardCharsets.ISO_8859_1);
    file[text.indexOf("gpt-2", text.indexOf("tokenizer.ggml.pre")) + 4] = '9';
    Files.write(directory.resolve("model.gguf"), file);
    try (TestWorker other = new TestWorker(directory);
        Featurizer featurizer =
            new Featurizer(
                other.resources,
                TestWorker.on("model.gguf"),
                other.resources.lanes().open(),
                new Ignoring())) {
      featurizer.add(0, PLACE, tokens(new int[] {1, 2}, null));
      GraftException error =
          catchThrowableOfType(
              GraftException.class, () -> featurizer.add(1, PLACE, new Content.Text("text")));
      assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
      assertThat(error).hasMessageContaining("tokenizer.ggml.pre = gpt-9");
    }
  }

  @Test
  void featuresOfAnotherSize() {
    GraftException error = refused("bert", new Content.Features(new float[47]));
    assertThat(error.reason()).isEqualTo("FEATURE_SIZE");
    assertField(error, "features");
  }

  @Test
  void aTypeThatTheDeviceCannotComputeIsRefusedBeforeLoading() {
    FeatureRequest request =
        TestWorker.request(Optional.of("bert"), Optional.of(ComputeDtype.FP16));
    GraftException error =
        catchThrowableOfType(GraftException.class, () -> featurizer(request).close());
    assertThat(error.reason()).isEqualTo("INVALID_SPEC");
    assertThat(error.metadata()).containsEntry("field", "spec.features.compute_dtype");
    assertThat(error).hasMessageContaining("FP16").hasMessageContaining("[FP32]");
    assertThat(worker.resources.backbones().loaded()).isEmpty();
  }

  private GraftException refused(String backbone, Content content) {
    try (Featurizer featurizer = featurizer(TestWorker.on(backbone))) {
      return catchThrowableOfType(GraftException.class, () -> featurizer.add(0, PLACE, content));
    }
  }

  private Featurizer featurizer(FeatureRequest request) {
    Lanes.Turns turns = worker.resources.lanes().open();
    return new Featurizer(worker.resources, request, turns, new Ignoring());
  }

  private static Content tokens(int[] ids, int[] typeIds) {
    return new Content.TokenIds(ids, typeIds);
  }

  private static void assertField(GraftException error, String field) {
    assertThat(error.metadata())
        .containsEntry("item", "18446744073709551615")
        .containsEntry("field", "train_items[18446744073709551615].pair." + field);
    assertThat(error).hasMessageContaining("Item 18446744073709551615");
  }

  private static final class Ignoring implements FeatureStream.Listener {
    @Override
    public void onFeatures(List<ItemFeatures> features) {}

    @Override
    public void onEnd() {}

    @Override
    public void onError(Throwable error) {}
  }
}
