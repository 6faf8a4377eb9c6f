package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OptionNamesTest {
  @Test
  void underscoresInNamesAreHyphens() {
    assertThat(
            OptionNames.normalize(
                "train", "--learning_rate", "1e_3", "--max_steps=a_b=c_d", "my_file", "-h"))
        .containsExactly(
            "train", "--learning-rate", "1e_3", "--max-steps=a_b=c_d", "my_file", "-h");
  }

  @Test
  void afterTwoHyphensNothingIsAnOption() {
    assertThat(OptionNames.normalize("--a_b", "--", "--c_d"))
        .containsExactly("--a-b", "--", "--c_d");
  }
}
