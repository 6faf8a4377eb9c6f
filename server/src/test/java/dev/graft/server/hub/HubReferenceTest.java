package dev.graft.server.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.GraftException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubReferenceTest {
  @Test
  void readsWhatHuggingfaceHubWrites() {
    assertReads("hf://org/name", "org/name", "main", null);
    assertReads("hf://models/org/name@v1.0", "org/name", "v1.0", null);
    assertReads("hf://org/name/", "org/name", "main", null);
    assertReads("hf://org/name@feature%2Fa", "org/name", "feature/a", null);
    assertReads("hf://org/name@refs/pr/12", "org/name", "refs/pr/12", null);
    assertReads("hf://org/name@refs/pr/12/a.gguf", "org/name", "refs/pr/12", "a.gguf");
    assertReads("hf://org/na.me-1_b@main/q/a.gguf", "org/na.me-1_b", "main", "q/a.gguf");
    assertReads("hf://org/name/a.gguf", "org/name", "main", "a.gguf");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf://",
        "hf://name",
        "hf://org/",
        "hf://datasets/org/name",
        "hf://../name",
        "hf://org/..",
        "hf://org/a..b",
        "hf://org/a--b",
        "hf://org/name.git",
        "hf://-org/name",
        "hf://org/name@",
        "hf://org/name@..",
        "hf://org/name@a/../b",
        "hf://org/name@a%2F..%2Fb",
        "hf://org/name@%2Fetc",
        "hf://org/name@a%2F%2Fb",
        "hf://org/name@%zz",
        "hf://org/name@a%00",
        "hf://org/name@.hidden",
        "hf://org/name/model.safetensors",
        "hf://org/name/../a.gguf",
        "hf://org/name//a.gguf",
        "hf://org/name/a\\b.gguf",
        "hf://org\\x/name",
        "hf://org/name@main/pytorch_model.bin"
      })
  void refusesAllElse(String text) {
    assertThatThrownBy(() -> HubReference.parse(text))
        .isInstanceOfSatisfying(
            GraftException.class, e -> assertThat(e.reason()).isEqualTo("INVALID_BACKBONE_PATH"));
  }

  private static void assertReads(String text, String repository, String revision, String file) {
    HubReference reference = HubReference.parse(text);
    assertThat(reference)
        .isEqualTo(new HubReference(repository, revision, Optional.ofNullable(file)));
    assertThat(HubReference.parse(reference.toString())).isEqualTo(reference);
  }
}
