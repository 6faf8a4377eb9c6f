package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.client.GraftClient;
import dev.graft.v1.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command over three workers in processes of their own, of which some are killed. */
@Timeout(300)
class FarmCommandTest {
  @TempDir private Path directory;

  private static Farm farm;

  @BeforeAll
  static void startWorkers() throws Exception {
    farm = Farm.start(3);
  }

  @AfterAll
  static void stopWorkers() {
    farm.close();
  }

  @AfterEach
  void reviveWorkers() throws Exception {
    farm.revive();
  }

  @Test
  void extractsTheSameBytesWhenAWorkerIsKilled() throws Exception {
    write("items.jsonl", TinyModel.labelled(8_000, 1));
    for (String output : List.of("f.safetensors", "f.jsonl")) {
      try (GraftProcess alone = extract("alone-" + output, farm.member(2).name())) {
        alone.succeeds();
      }
    }
    FarmMember victim = farm.member(0);

    try (GraftProcess disturbed = extract("f.safetensors", farm.targets())) {
      await(disturbed, () -> isAtWork(victim));
      victim.process().kill();
      assertThat(disturbed.succeeds().said())
          .contains("worker " + victim.name() + " is lost", "8000 items");
    }
    try (GraftProcess without = extract("f.jsonl", farm.targets())) {
      without.succeeds();
    }

    for (String output : List.of("f.safetensors", "f.jsonl")) {
      assertThat(directory.resolve(output))
          .hasSameBinaryContentAs(directory.resolve("alone-" + output));
    }
  }

  @Test
  void aJobWhoseWorkersAllDieLeavesNothing() throws Exception {
    write("items.jsonl", TinyModel.labelled(8_000, 1));

    try (GraftProcess job = extract("f.safetensors", farm.targets(), "--patience", "6s")) {
      await(job, () -> isAtWork(farm.member(0)));
      farm.members().forEach(member -> member.process().kill());
      assertThat(job.fails().said()).contains("no worker was alive", "missing are");
    }

    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.filter(file -> file.getFileName().toString().contains("safetensors")))
          .isEmpty();
    }
  }

  @Test
  void trainsTheSameProjectorWhenTheWorkerThatTrainsIsKilled() throws Exception {
    write("train.jsonl", TinyModel.labelled(60, 1));
    write("test.jsonl", TinyModel.labelled(20, 2));
    try (GraftProcess alone = trainOn(farm.member(2).name(), "alone")) {
      alone.succeeds();
    }

    try (GraftProcess disturbed = trainOn(farm.targets(), "disturbed")) {
      await(disturbed, () -> Files.exists(checkpoint("disturbed", 100)));
      List<FarmMember> training =
          farm.members().stream().filter(FarmCommandTest::isAtWork).toList();
      assertThat(training).as(disturbed::said).hasSize(1);
      training.get(0).process().kill();
      assertThat(disturbed.succeeds().said())
          .contains("worker " + training.get(0).name() + " is lost", "it goes on elsewhere");
    }

    assertThat(directory.resolve("disturbed/projector.safetensors"))
        .hasSameBinaryContentAs(directory.resolve("alone/projector.safetensors"));
    assertThat(metrics("disturbed")).isEqualTo(metrics("alone"));
    JsonNode manifest =
        new ObjectMapper().readTree(directory.resolve("disturbed/graft.json").toFile());
    assertThat(manifest.path("backbone").path("path").asText()).isEqualTo(TinyModel.NAME);
    assertThat(manifest.path("backbone").path("digest").asText()).hasSize(64);
    assertThat(manifest.path("features").path("pooling").asText()).isEqualTo("POOLING_MEAN");
  }

  @Test
  void aTrainingGoesOnFromItsCheckpointInAnotherCommand() throws Exception {
    write("train.jsonl", TinyModel.labelled(60, 1));
    write("test.jsonl", TinyModel.labelled(20, 2));
    try (GraftProcess alone = trainOn(farm.member(2).name(), "alone")) {
      alone.succeeds();
    }

    try (GraftProcess stopped = trainOn(farm.targets(), "resumed")) {
      await(stopped, () -> Files.exists(checkpoint("resumed", 100)));
    }
    assertThat(directory.resolve("resumed/graft.json")).doesNotExist();
    try (GraftProcess resumed =
        trainOn(farm.targets(), "resumed", "--resume-from-checkpoint", "auto")) {
      assertThat(resumed.succeeds().said()).contains("going on from");
    }

    assertThat(directory.resolve("resumed/projector.safetensors"))
        .hasSameBinaryContentAs(directory.resolve("alone/projector.safetensors"));
    assertThat(metrics("resumed")).isEqualTo(metrics("alone"));
  }

  @Test
  void aCheckpointOfACommandWithoutWorkersIsNotForAFarm() throws Exception {
    write("train.jsonl", TinyModel.labelled(60, 1));
    write("test.jsonl", TinyModel.labelled(20, 2));

    String backbone = TinyModel.ROOT.resolve(TinyModel.NAME).toString();
    try (GraftProcess stopped = train("resumed", backbone)) {
      await(stopped, () -> Files.exists(checkpoint("resumed", 100)));
    }
    try (GraftProcess resumed =
        trainOn(farm.targets(), "resumed", "--resume-from-checkpoint", "auto")) {
      assertThat(resumed.fails().said()).contains("The checkpoint cannot be resumed");
    }
    assertThat(checkpoint("resumed", 100)).exists();
  }

  private GraftProcess trainOn(String workers, String output, String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("--workers", workers));
    arguments.addAll(List.of(more));
    return train(output, TinyModel.NAME, arguments.toArray(String[]::new));
  }

  private GraftProcess train(String output, String backbone, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("train", "--backbone", backbone, "--compute-dtype", "fp32"));
    arguments.addAll(List.of("--pooling", "mean", "--train", "train.jsonl"));
    arguments.addAll(List.of("--eval", "test.jsonl", "--output", output));
    arguments.addAll(List.of("--projector", "mlp", "--hidden-sizes", "2048", "--dropout", "0.1"));
    arguments.addAll(List.of("--max-steps", "600", "--logging-steps", "10"));
    arguments.addAll(List.of("--save-steps", "100"));
    arguments.addAll(List.of(more));
    return GraftProcess.start(directory, arguments.toArray(String[]::new));
  }

  private Path checkpoint(String output, int step) {
    return directory.resolve(output + "/checkpoints/checkpoint-" + step + ".safetensors");
  }

  /** All rows but the last, which says how long it took. */
  private List<String> metrics(String output) throws IOException {
    return Files.readAllLines(directory.resolve(output + "/metrics.jsonl")).stream()
        .filter(row -> !row.contains("train_runtime"))
        .toList();
  }

  private GraftProcess extract(String output, String workers, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of("extract", "--backbone", TinyModel.NAME, "--compute-dtype", "fp32"));
    arguments.addAll(List.of("--input", "items.jsonl", "--output", output, "--workers", workers));
    arguments.addAll(List.of(more));
    return GraftProcess.start(directory, arguments.toArray(String[]::new));
  }

  private static void await(GraftProcess process, BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      assertThat(process.isAlive()).as(process::said).isTrue();
    }
  }

  private static boolean isAtWork(FarmMember worker) {
    try (GraftClient client = worker.process().client()) {
      return client.describe().getActiveCalls() > 0;
    }
  }

  private void write(String name, List<Item> items) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Item item : items) {
      lines
          .append("{\"input_ids\": ")
          .append(item.getContent().getTokenIds().getIdsList())
          .append(", \"label\": ")
          .append(item.getLabel().getClassIndex())
          .append("}\n");
    }
    Files.writeString(directory.resolve(name), lines);
  }
}
