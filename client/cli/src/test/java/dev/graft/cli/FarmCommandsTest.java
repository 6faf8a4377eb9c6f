package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FarmCommandsTest extends CommandFixture {
  private static final String EXTRACT =
      "extract --backbone model --input items.txt --output %s --workers %s";

  private static final String TRAIN =
      "train --backbone model --train train.jsonl --eval test.jsonl --output bundle --workers ";

  private final List<FakeWorker> farm = new ArrayList<>();

  private String farm(int size) throws IOException {
    for (int number = 0; number < size; number++) {
      farm.add(new FakeWorker().start());
    }
    return farm.stream().map(FakeWorker::address).collect(Collectors.joining(","));
  }

  @AfterEach
  void stop() {
    farm.forEach(FakeWorker::close);
  }

  /** Shards enough for four workers, each of which has two at a time. */
  private void writeItems() throws IOException {
    write(
        "items.txt",
        IntStream.range(0, 9_000)
            .mapToObj(number -> "text " + number % 7)
            .collect(Collectors.joining("\n")));
  }

  private void writeTraining() throws IOException {
    write(
        "train.jsonl",
        "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"y\"}\n");
    write("test.jsonl", "{\"text\": \"c\", \"label\": \"y\"}\n");
  }

  @Test
  void extractsTheSameWhenAWorkerDies() throws IOException {
    writeItems();
    String workers = farm(3);
    for (String output : List.of("f.jsonl", "f.npy", "f.safetensors")) {
      assertThat(run(EXTRACT.formatted("undisturbed-" + output, workers))).isZero();
    }
    assertThat(err()).doesNotContain("is lost");

    for (String output : List.of("f.jsonl", "f.npy", "f.safetensors")) {
      FakeWorker dies = new FakeWorker();
      dies.diesOfItems = true;
      farm.forEach(lives -> lives.mayAnswer = dies.gotItems);
      dies.start();
      assertThat(run(EXTRACT.formatted(output, workers + "," + dies.address()))).isZero();
      assertThat(err()).contains("worker " + dies.address() + " is lost: ");
      assertThat(directory.resolve(output))
          .hasSameBinaryContentAs(directory.resolve("undisturbed-" + output));
    }
    assertThat(err()).contains("tried again");
  }

  @Test
  void waitsForAWorkerThatComesBack() throws Exception {
    writeItems();
    String workers = farm(1);
    farm.get(0).close();
    int port = farm.get(0).port();

    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(() -> run(EXTRACT.formatted("f.npy", workers)));
    while (!err().contains("waiting for 127.0.0.1:" + port)) {
      Thread.onSpinWait();
    }
    FakeWorker back = new FakeWorker();
    farm.add(back);
    back.start(new WorkerOptions().listen("127.0.0.1", port));

    assertThat(code.get()).isZero();
    assertThat(err()).contains("worker 127.0.0.1:" + port + " is there");
    assertThat(Files.size(directory.resolve("f.npy"))).isEqualTo(128 + 9_000 * 2 * 4);
  }

  @Test
  void aJobThatCannotGoOnSaysWhatIsMissingAndLeavesNothing() throws IOException {
    writeItems();
    String workers = farm(1);
    farm.get(0).diesOfItems = true;

    assertThat(run(EXTRACT.formatted("f.npy", workers) + " --patience 5s")).isEqualTo(1);

    assertThat(err())
        .contains("is lost: ", "no worker was alive", "missing are ", "items.txt count from 0");
    assertThat(files()).containsExactlyInAnyOrder("items.txt", "model");
  }

  @Test
  void findsWorkersByName() throws IOException {
    writeItems();
    String port = farm(1).replaceFirst(".*:", "");

    assertThat(run(EXTRACT.formatted("f.npy", "dns:///localhost:" + port))).isZero();

    assertThat(out()).contains("f.npy: 9000 items");
  }

  @Test
  void anInterruptionLeavesNothing() throws Exception {
    writeItems();
    String workers = farm(2);
    farm.forEach(worker -> worker.mayAnswer = new CompletableFuture<>());
    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(() -> run(EXTRACT.formatted("f.npy", workers)));
    CompletableFuture.anyOf(farm.get(0).gotItems, farm.get(1).gotItems).join();

    interruption.interrupt();

    assertThat(code.get()).isEqualTo(130);
    assertThat(files()).containsExactlyInAnyOrder("items.txt", "model");
    farm.forEach(worker -> worker.mayAnswer.complete(null));
  }

  @Test
  void saysOnWhichLineTheItemIsThatAWorkerRefuses() throws IOException {
    write("items.jsonl", "{\"text\": \"ok\"}\n\n{\"text\": \"bad\"}\n");

    int code =
        run("extract --backbone model --input items.jsonl --output f.npy --workers " + farm(2));

    assertThat(code).isEqualTo(1);
    assertThat(err()).contains("items.jsonl:3: Item 1 is bad.");
    assertThat(files()).doesNotContain("f.npy");
  }

  @Test
  void predictsOverSeveralWorkers() throws IOException {
    writeItems();
    writeTraining();
    assertThat(run("train --backbone model --train train.jsonl --output bundle")).isZero();
    String predict = "predict --bundle bundle --input items.txt --output %s --workers ";

    assertThat(run(predict.formatted("one.jsonl") + farm(1))).isZero();
    assertThat(run(predict.formatted("three.jsonl") + farm(2))).isZero();

    assertThat(Files.readAllLines(directory.resolve("three.jsonl"))).hasSize(9_000);
    assertThat(directory.resolve("three.jsonl"))
        .hasSameBinaryContentAs(directory.resolve("one.jsonl"));
  }

  @Test
  void trainsOnWhenTheWorkerThatTrainsDies() throws IOException {
    writeTraining();
    String workers = farm(2);
    AtomicInteger deaths = new AtomicInteger(1);
    farm.forEach(worker -> worker.deathsAfterCheckpoint = deaths);

    assertThat(run(TRAIN + workers)).isZero();

    assertThat(deaths).hasValue(0);
    assertThat(err()).contains("it goes on elsewhere from the checkpoint of step 2");
    List<FakeWorker> alive = farm.stream().filter(worker -> !worker.isStopped()).toList();
    assertThat(alive).hasSize(1);
    assertThat(alive.get(0).trainSpec.getCheckpointBytes()).isEqualTo("checkpoint".length());
    assertThat(alive.get(0).trainItems)
        .extracting(item -> item.getLabel().getClassIndex())
        .containsExactly(0, 1);
    assertThat(alive.get(0).trainItems)
        .allSatisfy(item -> assertThat(item.getContent().hasFeatures()).isTrue());

    Path bundle = directory.resolve("bundle");
    assertThat(Files.readAllBytes(bundle.resolve("projector.safetensors")))
        .isEqualTo(FakeWorker.PROJECTOR.toByteArray());
    assertThat(Files.readAllLines(bundle.resolve("metrics.jsonl")))
        .extracting(line -> line.replaceAll(", \"epoch.*", ""))
        .containsExactly(
            "{\"step\": 1",
            "{\"step\": 1",
            "{\"step\": 2",
            "{\"step\": 2",
            "{\"step\": 3",
            "{\"step\": 3",
            "{\"step\": 3");
    JsonNode manifest = new ObjectMapper().readTree(bundle.resolve("graft.json").toFile());
    assertThat(manifest.path("backbone").path("path").asText()).isEqualTo("model");
    assertThat(manifest.path("backbone").path("digest").asText()).isEqualTo(FakeWorker.DIGEST);
    assertThat(manifest.path("audit").path("frozen_digest").asText()).isEqualTo(FakeWorker.DIGEST);
    assertThat(manifest.path("audit").path("frozen_parameters").asInt()).isEqualTo(100);
    assertThat(manifest.path("versions").path("worker").asText()).isEqualTo("fake");
  }

  @Test
  void keepsTheCheckpointsOfATrainingWhoseWorkersAllDie() throws IOException {
    writeTraining();
    String workers = farm(1);
    farm.get(0).deathsAfterCheckpoint = new AtomicInteger(1);

    assertThat(run(TRAIN + workers + " --patience 5s")).isEqualTo(1);

    assertThat(err()).contains("no worker", "--resume-from-checkpoint auto");
    assertThat(directory.resolve("bundle/graft.json")).doesNotExist();
    assertThat(directory.resolve("bundle/projector.safetensors")).doesNotExist();

    farm.clear();
    String resume = " --resume-from-checkpoint auto";
    assertThat(run(TRAIN + farm(1) + resume)).isZero();
    assertThat(farm.get(0).trainSpec.getCheckpointBytes()).isEqualTo("checkpoint".length());
    assertThat(Files.readAllLines(directory.resolve("bundle/metrics.jsonl"))).hasSize(7);
  }

  @Test
  void aTrainingWhoseFeaturesAreNotAllThereSaysWhatIsMissing() throws IOException {
    writeTraining();
    String workers = farm(1);
    farm.get(0).diesOfItems = true;

    assertThat(run(TRAIN + workers + " --patience 5s")).isEqualTo(1);

    assertThat(err()).contains("no worker was alive", "missing are", "test.jsonl count from 0");
    assertThat(directory.resolve("bundle/graft.json")).doesNotExist();
  }

  @Test
  void refusesToTrainOnFeaturesOfAnotherBackbone() throws IOException {
    writeTraining();
    String workers = farm(1);
    farm.get(0).digest = "other"; // the one of its features, while it accepts a training on DIGEST

    assertThat(run(TRAIN + workers)).isEqualTo(1);

    assertThat(err()).contains("different backbones under the name model");
    assertThat(directory.resolve("bundle/graft.json")).doesNotExist();
  }

  @Test
  void saysWhereTheItemOfATrainingIsThatAWorkerRefuses() throws IOException {
    write(
        "train.jsonl",
        "{\"text\": \"a\", \"pair\": \"b\"}\n{\"text\": \"c\", \"pair\": \"bad\"}\n");
    write("test.jsonl", "{\"text\": \"d\", \"pair\": \"e\"}\n");

    assertThat(run(TRAIN + farm(1))).isEqualTo(1);

    assertThat(err()).contains("train.jsonl:2: Training item 1's pair");
  }

  @Test
  void warnsOfWorkersOfSeveralKinds() throws IOException {
    writeItems();
    String workers = farm(2);
    farm.get(1).version = "other";
    farm.get(0).mayAnswer = farm.get(1).gotItems;
    farm.get(1).mayAnswer = farm.get(0).gotItems;

    assertThat(run(EXTRACT.formatted("f.npy", workers))).isZero();

    assertThat(err()).contains("warning: workers are of several kinds", "fake", "other");
  }

  @Test
  void describesEachWorker() throws IOException {
    String workers = farm(2);
    farm.get(1).version = "other";

    assertThat(run("describe --json --workers " + workers)).isZero();

    JsonNode described = new ObjectMapper().readTree(out());
    assertThat(described)
        .extracting(one -> one.path("worker").asText() + " " + one.path("version").asText())
        .containsExactlyInAnyOrder(
            farm.get(0).address() + " fake", farm.get(1).address() + " other");
  }

  @Test
  void saysWhichWorkerIsNotReached() throws IOException {
    assertThat(run("describe --workers 127.0.0.1:1," + farm(1))).isEqualTo(1);
    assertThat(out()).contains("127.0.0.1:1\nnot reached: ", "graft worker fake");
    assertThat(err()).contains("graft: not reached: 127.0.0.1:1");
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    writeItems();
    String extract = "extract --backbone model --input items.txt --output f.npy ";

    assertThat(run(extract + "--patience 1s")).isEqualTo(2);
    assertThat(run(extract + "--workers 127.0.0.1:1 --patience 1")).isEqualTo(2);
    assertThat(run(extract + "--workers 127.0.0.1:1,here")).isEqualTo(2);
    assertThat(run("quantize --backbone m --scheme nf4 --output q --workers a:1,b:2")).isEqualTo(2);
    assertThat(err())
        .contains(
            "--patience is for workers that are named with --workers",
            "'1' is not a duration such as 90s, 2m or 1h",
            "'here' is not HOST:PORT",
            "quantize is one worker's work");
  }
}
