package dev.graft.cli.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.v1.Label;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetsTest {
  @TempDir Path directory;

  @Test
  void stringsAreClassesInSortedOrder() throws IOException {
    ItemFile file = labelled("\"b\"", "\"a\"", "\"b\"");
    Targets targets = targets(file);

    assertThat(targets.objective()).isEqualTo(ObjectiveKind.CROSS_ENTROPY);
    assertThat(targets.classes().orElseThrow().names()).containsExactly("a", "b");
    assertThat(labels(targets, file)).extracting(Label::getClassIndex).containsExactly(1, 0, 1);
  }

  @Test
  void wholeNumbersAreClassNumbersAsTheyStand() throws IOException {
    ItemFile file = labelled("2", "0");
    Targets targets = targets(file);

    assertThat(targets.objective()).isEqualTo(ObjectiveKind.CROSS_ENTROPY);
    assertThat(targets.classes().orElseThrow().names()).containsExactly("0", "1", "2");
    assertThat(targets.classes().orElseThrow().numbered()).isTrue();
    assertThat(labels(targets, file)).extracting(Label::getClassIndex).containsExactly(2, 0);
  }

  @Test
  void listsOfClassesAreMultiLabel() throws IOException {
    ItemFile file = labelled("[\"b\", \"a\"]", "[]", "[\"c\"]");
    Targets targets = targets(file);

    assertThat(targets.objective()).isEqualTo(ObjectiveKind.BINARY_CROSS_ENTROPY);
    assertThat(labels(targets, file))
        .extracting(label -> label.getClassSet().getClassIndicesList())
        .containsExactly(List.of(0, 1), List.of(), List.of(2));
  }

  @Test
  void otherNumbersAreValues() throws IOException {
    ItemFile file = labelled("1", "2.5");
    Targets targets = targets(file);

    assertThat(targets.objective()).isEqualTo(ObjectiveKind.MEAN_SQUARED_ERROR);
    assertThat(labels(targets, file))
        .extracting(label -> label.getValues().getValuesList())
        .containsExactly(List.of(1f), List.of(2.5f));
  }

  @Test
  void pairsWithoutLabelsAreForInfoNce() throws IOException {
    ItemFile file = write("{\"text\": \"a\", \"pair\": \"b\"}\n");

    assertThat(targets(file).objective()).isEqualTo(ObjectiveKind.INFO_NCE);
  }

  @Test
  void cosineEmbeddingTakesPairsThatAreAlikeOrNot() throws IOException {
    ItemFile file =
        write(
            "{\"text\": \"a\", \"pair\": \"b\", \"label\": -1}\n{\"text\": \"a\", \"pair\": \"b\"}\n");
    Targets targets = Targets.of(ObjectiveKind.COSINE_EMBEDDING, LabelSurvey.of(file));

    assertThat(labels(targets, file))
        .extracting(label -> label.getValues().getValuesList())
        .containsExactly(List.of(-1f), List.of());
  }

  @Test
  void refusesWhatTheTrainingFileDoesNotKnow() throws IOException {
    Targets targets = targets(labelled("\"a\"", "\"b\""));
    ItemFile eval = labelled("\"a\"", "\"z\"");

    assertThatThrownBy(() -> targets.check(eval))
        .hasMessageEndingWith(
            ":2: the label \"z\" is not one of the 2 classes in the training file (a, b)");
  }

  @Test
  void refusesLabelsThatAreNotAlike() throws IOException {
    assertThatThrownBy(() -> targets(labelled("\"a\"", "[\"b\"]")))
        .hasMessageEndingWith(
            ":2: its label is a list, that of line 1 is not; labels must be alike");
  }

  @Test
  void refusesASingleClass() throws IOException {
    assertThatThrownBy(() -> targets(labelled("\"a\"", "\"a\"")))
        .hasMessageContaining("at least two classes");
  }

  @Test
  void refusesAnEmptyFile() throws IOException {
    assertThatThrownBy(() -> targets(write("\n"))).hasMessageContaining("no items");
  }

  @Test
  void refusesVectorsOfDifferentSizes() throws IOException {
    ItemFile file = labelled("[1.5, 2]", "[1.5]");
    Targets targets = targets(file);

    assertThatThrownBy(() -> targets.check(file))
        .hasMessageEndingWith(":2: its label has 1 numbers, those before it 2");
  }

  @Test
  void refusesNumbersThatAFloatCannotHold() throws IOException {
    Path file = directory.resolve("items.csv");
    Files.writeString(file, "text,label\na,1e39\n");
    ItemFile items = ItemFile.of(file);
    Targets targets = targets(items);

    assertThatThrownBy(() -> targets.check(items))
        .hasMessageEndingWith(":2: 1e39 is too large for a 32-bit float");
  }

  @Test
  void refusesYearsAsClassNumbers() throws IOException {
    assertThatThrownBy(() -> targets(labelled("-1", "5"))).hasMessageContaining("from 0 to 65535");
  }

  private static Targets targets(ItemFile file) throws IOException {
    LabelSurvey survey = LabelSurvey.of(file);
    return Targets.of(survey.defaultObjective(), survey);
  }

  private static List<Label> labels(Targets targets, ItemFile file) throws IOException {
    List<Label> labels = new ArrayList<>();
    try (ItemFile.Items items = file.open()) {
      items.forEachRemaining(item -> labels.add(targets.toProto(file, item).getLabel()));
    }
    return labels;
  }

  private ItemFile labelled(String... labels) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String label : labels) {
      lines.append("{\"text\": \"t\", \"label\": ").append(label).append("}\n");
    }
    return write(lines.toString());
  }

  private ItemFile write(String content) throws IOException {
    Path file = Files.createTempFile(directory, "items", ".jsonl");
    Files.writeString(file, content);
    return ItemFile.of(file);
  }
}
