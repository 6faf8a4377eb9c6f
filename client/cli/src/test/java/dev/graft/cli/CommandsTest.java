package dev.graft.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.Kernel;
import dev.graft.v1.IntervalStrategy;
import dev.graft.v1.Item;
import dev.graft.v1.LrSchedulerType;
import dev.graft.v1.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CommandsTest extends CommandFixture {
  @Test
  void extractsWithAWorkerOfItsOwn() throws IOException {
    write("items.jsonl", "{\"text\": \"abc\"}\n{\"text\": \"longer than eight\", \"id\": \"x\"}\n");

    int code = run("extract --backbone model --input items.jsonl --output f.jsonl --pooling cls");

    assertThat(err()).contains("1 items were longer than 8 tokens and were cut");
    assertThat(code).isZero();
    assertThat(Files.readString(directory.resolve("f.jsonl")))
        .isEqualTo(
            """
            {"id":"0","features":[3.0,0.0]}
            {"id":"x","features":[17.0,1.0],"truncated_tokens":9}
            """);
    assertThat(worker.extractSpec.getFeatures().getPooling()).isEqualTo(Pooling.POOLING_CLS);
    assertThat(worker.options.modelRoots())
        .containsExactly(directory.resolve("model").toRealPath());
    assertThat(worker.isStopped()).isTrue();
  }

  @Test
  void extractsManyItemsInOrder() throws IOException {
    StringBuilder texts = new StringBuilder();
    for (int number = 0; number < 5_000; number++) {
      texts.append("text ").append(number % 3).append('\n');
    }
    write("items.txt", texts.toString());

    assertThat(run("extract --backbone model --input items.txt --output f.npy")).isZero();

    assertThat(Files.size(directory.resolve("f.npy"))).isEqualTo(128 + 5_000 * 2 * 4);
    assertThat(out()).contains("f.npy: 5000 items");
  }

  @Test
  void extractsTokenFeatures() throws IOException {
    write("items.txt", "abc\nde\n");

    int code =
        run("extract --backbone model --input items.txt --output f.safetensors --pooling none");

    assertThat(code).isZero();
    assertThat(Files.readString(directory.resolve("f.safetensors"), ISO_8859_1))
        .contains(
            "\"0\":{\"dtype\":\"F32\",\"shape\":[3,2]", "\"1\":{\"dtype\":\"F32\",\"shape\":[2,2]");
  }

  @Test
  void saysOnWhichLineTheItemIsThatTheWorkerRefuses() throws IOException {
    write("items.jsonl", "{\"text\": \"ok\"}\n\n{\"text\": \"bad\"}\n");

    assertThat(run("extract --backbone model --input items.jsonl --output f.safetensors"))
        .isEqualTo(1);
    assertThat(err()).contains("items.jsonl:3: Item 1 is bad.");
    assertThat(files()).doesNotContain("f.safetensors");
  }

  @Test
  void deviceOptionsAreForAnOwnWorker() throws IOException {
    write("items.txt", "abc\n");
    String extract = "extract --backbone model --input items.txt --output f.npy ";

    assertThat(run(extract + "--kernel onednn --lanes 3 --device cpu")).isZero();
    assertThat(worker.options.kernel()).contains(Kernel.ONEDNN);
    assertThat(worker.options.lanes()).isEqualTo(3);
    assertThat(worker.options.device()).isEqualTo("cpu");
    assertThat(run(extract + "--kernel onednn --worker 127.0.0.1:1")).isEqualTo(2);
    assertThat(run(extract + "--kernel fast")).isEqualTo(2);
    assertThat(err()).contains("not with --workers", "'fast' is not one of mkl, onednn");
  }

  @Test
  void namesThePartsOfTheBenchmark() {
    assertThat(run("bench --only train,everything")).isEqualTo(2);
    assertThat(err()).contains("'everything' is not one of train, extract, quantized, limited");
    assertThat(run("bench --rounds 0")).isEqualTo(2);
  }

  @Test
  void refusesOutputsThatCannotBe() throws IOException {
    write("items.txt", "abc\n");

    assertThat(run("extract --backbone model --input items.txt --output f.npy --output_dtype bf16"))
        .isEqualTo(2);
    assertThat(err()).contains("NumPy has no bfloat16");
    assertThat(run("extract --backbone model --input items.txt --output f.npy --pooling none"))
        .isEqualTo(2);
    assertThat(run("extract --backbone model --input items.txt --output f.pt")).isEqualTo(2);
    assertThat(run("extract --backbone model --input items.txt --output f.npy --pooling most"))
        .isEqualTo(2);
    assertThat(err()).contains("'most' is not one of last, mean, cls, max, none");
    assertThat(files()).containsExactlyInAnyOrder("items.txt", "model");
  }

  @Test
  void trainsABundleAndPredictsWithIt() throws IOException {
    write(
        "train.jsonl",
        "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"y\"}\n");
    write("test.jsonl", "{\"text\": \"c\", \"label\": \"y\"}\n");

    int code =
        run(
            "train --backbone model --train train.jsonl --eval test.jsonl --output bundle"
                + " --learning_rate 1e-2 --lr-scheduler-type constant_with_warmup --max_steps 3"
                + " --logging_first_step True --dataloader-drop-last --projector mlp --hidden_sizes"
                + " 4,5 --class_weights 1,2.5");

    assertThat(err()).contains("step 3, epoch 3.00: eval_accuracy 0.7500");
    assertThat(code).isZero();
    assertThat(out()).contains("train_loss 0.5000 after 3 steps", "eval_accuracy 0.7500");
    assertThat(worker.trainSpec.getArguments().getLearningRate()).isEqualTo(1e-2);
    assertThat(worker.trainSpec.getArguments().getMaxSteps()).isEqualTo(3);
    assertThat(worker.trainSpec.getArguments().getLrSchedulerType())
        .isEqualTo(LrSchedulerType.LR_SCHEDULER_TYPE_CONSTANT_WITH_WARMUP);
    assertThat(worker.trainSpec.getArguments().getEvalStrategy())
        .isEqualTo(IntervalStrategy.INTERVAL_STRATEGY_EPOCH);
    assertThat(worker.trainSpec.getArguments().getLoggingFirstStep()).isTrue();
    assertThat(worker.trainSpec.getArguments().getDataloaderDropLast()).isTrue();
    assertThat(worker.trainSpec.getArguments().hasWeightDecay()).isFalse();
    assertThat(worker.trainSpec.getProjector().getHiddenSizesList()).containsExactly(4, 5);
    assertThat(worker.trainSpec.getObjective().getCrossEntropy().getClassWeightsList())
        .containsExactly(1f, 2.5f);
    assertThat(worker.trainItems)
        .extracting(item -> item.getLabel().getClassIndex())
        .containsExactly(0, 1);
    assertThat(worker.evalItems).extracting(Item::getNumber).containsExactly(2L);
    assertThat(worker.evalItems)
        .extracting(item -> item.getLabel().getClassIndex())
        .containsExactly(1);

    Path bundle = directory.resolve("bundle");
    assertThat(Files.readAllBytes(bundle.resolve("projector.safetensors")))
        .isEqualTo(FakeWorker.PROJECTOR.toByteArray());
    assertThat(Files.readString(bundle.resolve("checkpoints/checkpoint-2.safetensors")))
        .isEqualTo("checkpoint");
    JsonNode manifest = new ObjectMapper().readTree(bundle.resolve("graft.json").toFile());
    assertThat(manifest.path("labels").toString()).isEqualTo("[\"x\",\"y\"]");
    assertThat(manifest.path("backbone").path("digest").asText()).isEqualTo(FakeWorker.DIGEST);
    assertThat(Files.readAllLines(bundle.resolve("metrics.jsonl")))
        .hasSize(7)
        .contains(
            "{\"step\": 1, \"epoch\": 1, \"loss\": 1, \"grad_norm\": 0.5, \"learning_rate\":"
                + " 0.001}");

    write("items.csv", "id,text\na,odd\n,even\n");
    assertThat(run("predict --bundle bundle --input items.csv --output p.jsonl")).isZero();
    assertThat(Files.readString(directory.resolve("p.jsonl")))
        .isEqualTo(
            """
            {"id":"a","label":"y","score":0.75,"scores":{"x":0.25,"y":0.75}}
            {"id":"1","label":"x","score":0.75,"scores":{"x":0.75,"y":0.25}}
            """);
    assertThat(worker.extractSpec.getPredictionsOnly()).isTrue();
    assertThat(worker.extractSpec.getProjector().getFileBytes())
        .isEqualTo(FakeWorker.PROJECTOR.size());
  }

  @Test
  void refusesToPredictOnAnotherBackbone() throws IOException {
    trainBundle();
    worker.digest = "other";
    write("items.txt", "abc\n");

    assertThat(run("predict --bundle bundle --input items.txt --output p.jsonl")).isEqualTo(1);
    assertThat(err()).contains("is not the one that the bundle was trained on");
    assertThat(files()).doesNotContain("p.jsonl");
  }

  @Test
  void refusesADamagedProjector() throws IOException {
    trainBundle();
    Files.writeString(directory.resolve("bundle/projector.safetensors"), "other");
    write("items.txt", "abc\n");

    assertThat(run("predict --bundle bundle --input items.txt --output p.jsonl")).isEqualTo(1);
    assertThat(err()).contains("its SHA-256 differs");
  }

  @Test
  void keepsCheckpointsOfATrainingThatFailedAndGoesOnFromThem() throws IOException {
    worker.failsAfterCheckpoint = true;
    write("train.jsonl", "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\", \"label\": 1}\n");

    assertThat(run("train --backbone model --train train.jsonl --output bundle")).isEqualTo(1);
    assertThat(err()).contains("the loss became NaN", "--resume-from-checkpoint auto");
    assertThat(directory.resolve("bundle/graft.json")).doesNotExist();

    worker.failsAfterCheckpoint = false;
    assertThat(
            run(
                "train --backbone model --train train.jsonl --output bundle"
                    + " --resume_from_checkpoint auto"))
        .isZero();
    assertThat(worker.trainSpec.getCheckpointBytes()).isEqualTo("checkpoint".length());
    assertThat(Files.readAllLines(directory.resolve("bundle/metrics.jsonl")))
        .extracting(line -> line.replaceAll(", \"epoch.*", ""))
        .containsExactly(
            "{\"step\": 1",
            "{\"step\": 1",
            "{\"step\": 2",
            "{\"step\": 2",
            "{\"step\": 3",
            "{\"step\": 3",
            "{\"step\": 3");
  }

  @Test
  void progressMovesBetweenLogEntries() throws IOException {
    clock = new TickingClock();
    trainBundle();
    assertThat(err()).contains("training 2/3 steps").contains("loss 0.2500, epoch 2.00");
    assertThat(Files.readString(directory.resolve("bundle/metrics.jsonl")))
        .doesNotContain("\"loss\": 0.25");
  }

  @Test
  void anInterruptionCancelsTheCallAndKeepsItsCheckpoints() throws Exception {
    worker.hangsAfterCheckpoint = true;
    write("train.jsonl", "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\", \"label\": 1}\n");
    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(
            () -> run("train --backbone model --train train.jsonl --output bundle"));
    worker.hanging.await();

    interruption.interrupt();

    assertThat(code.get()).isEqualTo(130);
    assertThat(err()).contains("interrupted");
    assertThat(directory.resolve("bundle/graft.json")).doesNotExist();
  }

  @Test
  void saysWhichEvalLabelIsUnknownBeforeAWorkerStarts() throws IOException {
    write(
        "train.jsonl",
        "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"y\"}\n");
    write("test.jsonl", "{\"text\": \"c\", \"label\": \"z\"}\n");

    int code = run("train --backbone model --train train.jsonl --eval test.jsonl --output bundle");

    assertThat(code).isEqualTo(1);
    assertThat(err()).contains("test.jsonl:1: the label \"z\" is not one of the 2 classes");
    assertThat(worker.options).isNull();
    assertThat(directory.resolve("bundle")).doesNotExist();
  }

  @Test
  void refusesArgumentsThatDoNotFitTogether() throws IOException {
    write("train.jsonl", "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\", \"label\": 1}\n");
    String train = "train --backbone model --train train.jsonl --output bundle ";

    assertThat(run(train + "--eval_strategy epoch")).isEqualTo(2);
    assertThat(run(train + "--margin 0.5")).isEqualTo(2);
    assertThat(run(train + "--class_weights 1,2,3")).isEqualTo(2);
    assertThat(run(train + "--per_device_train_batch_size -1")).isEqualTo(2);
    assertThat(run(train + "--learning_rat 1")).isEqualTo(2);
    assertThat(err())
        .contains(
            "--eval-strategy needs --eval FILE",
            "--margin has no meaning for the objective cross_entropy",
            "--class-weights has 3 weights, the training items have 2 classes: 0, 1",
            "'-1' is negative",
            "--learning-rate");
  }

  @Test
  void describesAWorkerThatRuns() throws IOException {
    try (EmbeddedWorker running = worker.start(new WorkerOptions().listen("127.0.0.1", 0))) {
      assertThat(run("describe --json --worker 127.0.0.1:" + running.port())).isZero();
    }
    assertThat(new ObjectMapper().readTree(out()).path("version").asText()).isEqualTo("fake");
  }

  @Test
  void servesUntilItIsInterrupted() throws Exception {
    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(() -> run("serve --listen 127.0.0.1:0 --model_root model"));
    while (!out().contains("\n")) {
      Thread.onSpinWait();
    }

    assertThat(out()).isEqualTo("listening on 127.0.0.1:" + worker.port() + "\n");
    interruption.interrupt();
    assertThat(code.get()).isZero();
    assertThat(worker.isStopped()).isTrue();
  }

  @Test
  void aWorkerThatIsNotThereIsAFailure() throws IOException {
    write("items.txt", "abc\n");
    assertThat(
            run(
                "extract --worker 127.0.0.1:1 --patience 5s --backbone model --input items.txt"
                    + " --output f.npy"))
        .isEqualTo(1);
    assertThat(err())
        .contains("waiting for 127.0.0.1:1 (", "no worker was alive", "missing are 1 items: 0");
    assertThat(files()).doesNotContain("f.npy");
  }

  @Test
  void completionKnowsTheOptions() {
    assertThat(run("completion")).isZero();
    assertThat(out()).contains("--learning-rate", "constant_with_warmup");
  }

  @Test
  void noCommandIsWrongUsage() {
    assertThat(run("")).isEqualTo(2);
    assertThat(run("--help")).isZero();
  }

  private void trainBundle() throws IOException {
    write("train.jsonl", "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\", \"label\": 1}\n");
    assertThat(run("train --backbone model --train train.jsonl --output bundle")).isZero();
  }
}
