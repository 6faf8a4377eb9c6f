package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContentDigestTest {
  private static final Content TEXT = new Content.Text("a");

  @Test
  void followsTheContextPartByPart() {
    byte[] digest = digest(List.of("backbone", "tokenizer"), TEXT);
    assertThat(digest(List.of("backbone", "tokenizer"), TEXT)).isEqualTo(digest);
    assertThat(digest(List.of("backbonetoken", "izer"), TEXT)).isNotEqualTo(digest);
    assertThat(digest(List.of("backbone"), TEXT)).isNotEqualTo(digest);
  }

  @Test
  void followsTheContent() {
    byte[] digest = digest(List.of(), new Content.TokenIds(new int[] {1, 2}, null));
    assertThat(digest(List.of(), new Content.TokenIds(new int[] {2, 1}, null)))
        .isNotEqualTo(digest);
    assertThat(digest(List.of(), new Content.TokenIds(new int[] {1, 2}, new int[] {0, 1})))
        .isNotEqualTo(digest);
    assertThat(digest(List.of(), new Content.Features(new float[] {1, 2}))).isNotEqualTo(digest);
    assertThat(digest(List.of(), TEXT)).isNotEqualTo(digest);
  }

  private static byte[] digest(List<String> context, Content content) {
    return new ContentDigest(context)
        .of(new TrainItem(0, content, Optional.empty(), Optional.empty()));
  }
}
