package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.graft.v1.TrainingArguments;
import org.junit.jupiter.api.Test;

class TrainingArgumentOptionsTest {
  @Test
  void everyArgumentIsDescribedAndNothingElse() {
    assertThat(TrainingArgumentOptions.descriptions().stringPropertyNames())
        .containsExactlyInAnyOrderElementsOf(
            TrainingArguments.getDescriptor().getFields().stream()
                .map(FieldDescriptor::getName)
                .toList());
  }
}
