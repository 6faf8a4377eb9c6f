package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.progress.Terminal;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DataType;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class QuantizeCommandTest extends CommandFixture {
  private static final String QUANTIZE = "quantize --backbone model --output made --scheme ";

  @Test
  void anOwnWorkerWrites() throws IOException {
    assertThat(run(QUANTIZE + "nf4")).isZero();

    assertThat(worker.quantize.requests)
        .containsExactly(
            QuantizeRequest.newBuilder()
                .setSource(
                    Backbone.newBuilder()
                        .setPath(directory.resolve("model").toRealPath().toString()))
                .setScheme(QuantizationScheme.QUANTIZATION_SCHEME_NF4)
                .setDestination(path("made"))
                .build());
    assertThat(worker.options.writableRoots()).containsExactly(directory);
    assertThat(worker.options.modelRoots())
        .containsExactly(directory.resolve("model").toRealPath(), directory);
    assertThat(worker.options.hub()).isEmpty();
    assertThat(worker.isStopped()).isTrue();
  }

  @Test
  void whatCameOutIsSaid() {
    assertThat(run(QUANTIZE + "nf4")).isZero();

    // The five worst, the worst first.
    assertThat(out().replaceFirst(" in [0-9.]+ s,", " in T s,"))
        .isEqualTo(
            """
            %s: 20.0 MB -> 5.00 MB (25.0 %%) in T s, relative error 0.06250, digest abc
            largest errors    relative    absolute       size
            layer.6            0.09375       1.500     25.0 %%
            layer.5            0.07813       1.250     25.0 %%
            layer.4            0.06250       1.000     25.0 %%
            layer.3            0.04688      0.7500     25.0 %%
            layer.2            0.03125      0.5000     25.0 %%
            """
                .formatted(path("made")));
  }

  @Test
  void anotherWorkerSendsTheFilesBack() throws IOException {
    try (EmbeddedWorker running = worker.start()) {
      assertThat(quantizeAt(running)).isZero();
    }

    QuantizeRequest request = worker.quantize.requests.get(0);
    assertThat(request.getSource().getPath()).isEqualTo("there");
    assertThat(request.getDestination()).isEmpty();
    assertThat(files()).containsExactlyInAnyOrder("made", "model");
    assertThat(Files.readAllBytes(directory.resolve("made/model.safetensors")))
        .isEqualTo(FakeQuantize.WEIGHTS.toByteArray());
    assertThat(Files.readAllBytes(directory.resolve("made/config.json")))
        .isEqualTo(FakeQuantize.CONFIG.toByteArray());
    assertThat(out()).contains("made: 20.0 MB -> 5.00 MB");
  }

  @Test
  void aCallThatFailsLeavesNothing() throws IOException {
    worker.quantize.fails = request -> true;
    try (EmbeddedWorker running = worker.start()) {
      assertThat(quantizeAt(running)).isEqualTo(1);
    }

    assertThat(err()).contains("gone");
    assertThat(out()).isEmpty();
    assertThat(files()).containsExactly("model");
  }

  @Test
  void anInterruptionCancelsTheCallAndLeavesNothing() throws Exception {
    worker.quantize.hangs = true;
    try (EmbeddedWorker running = worker.start()) {
      CompletableFuture<Integer> code = CompletableFuture.supplyAsync(() -> quantizeAt(running));
      worker.quantize.hanging.await();

      interruption.interrupt();

      assertThat(code.get()).isEqualTo(130);
      worker.quantize.cancelled.await();
    }
    assertThat(err()).contains("interrupted");
    assertThat(files()).containsExactly("model");
  }

  @Test
  void optionsAreWhatTheWorkerIsAskedFor() {
    assertThat(
            run(
                QUANTIZE
                    + "fp4 --double-quant --blocksize 128 --dtype bf16 --compute_dtype fp16"
                    + " --skip-modules lm_head,layers.0 --skip-modules embed"
                    + " --max-shard-bytes 1000"))
        .isZero();

    QuantizeRequest request = worker.quantize.requests.get(0);
    assertThat(request.getScheme()).isEqualTo(QuantizationScheme.QUANTIZATION_SCHEME_FP4);
    assertThat(request.getDoubleQuantization()).isTrue();
    assertThat(request.getBlockSize()).isEqualTo(128);
    assertThat(request.getDataType()).isEqualTo(DataType.DATA_TYPE_BF16);
    assertThat(request.getRecordedComputeDtype()).isEqualTo(ComputeDtype.COMPUTE_DTYPE_FP16);
    assertThat(request.getSkipModulesList()).containsExactly("lm_head", "layers.0", "embed");
    assertThat(request.getMaxShardBytes()).isEqualTo(1000);
  }

  @Test
  void wrongUsageStartsNoWorker() throws IOException {
    assertThat(run(QUANTIZE + "nf5")).isEqualTo(2);
    assertThat(run(QUANTIZE + "nf4 --dtype int8_dynamic")).isEqualTo(2);
    assertThat(run(QUANTIZE + "nf4 --blocksize many")).isEqualTo(2);
    assertThat(run("quantize --backbone model --scheme nf4")).isEqualTo(2);
    assertThat(run("quantize --backbone model --output made")).isEqualTo(2);

    assertThat(err())
        .contains(
            "'nf5' is not one of none, nf4, fp4, int8, q8_0, q4_0",
            "'int8_dynamic' is not one of fp32, bf16, fp16",
            "'many' is not an int",
            "--output is missing; only --compare can do without",
            "Missing required option: '--scheme=NAME");
    assertThat(worker.options).isNull();
    assertThat(files()).containsExactly("model");
  }

  @Test
  void outputsThatCannotBeMadeStartNoWorker() throws IOException {
    assertThat(run("quantize --backbone model --scheme nf4 --output model")).isEqualTo(1);
    assertThat(run("quantize --backbone model --scheme nf4 --output no/parent")).isEqualTo(1);
    assertThat(run("quantize --backbone none --scheme nf4 --output made")).isEqualTo(1);

    assertThat(err())
        .contains(
            path("model") + ": exists already; remove it, or name another directory",
            path("no/parent") + ": its directory does not exist",
            path("none") + ": no such directory; --backbone names a directory");
    assertThat(worker.options).isNull();
    assertThat(files()).containsExactly("model");
  }

  @Test
  void aHubIsForTheWorkerThatIsTold() {
    assertThat(run("quantize --backbone hf://graft/tiny@main --scheme nf4 --output made")).isZero();

    assertThat(worker.quantize.requests.get(0).getSource().getPath())
        .isEqualTo("hf://graft/tiny@main");
    assertThat(worker.options.hub()).isPresent();
    assertThat(worker.options.modelRoots()).containsExactly(directory);
  }

  @Test
  void progressIsABarOnATerminal() {
    terminal = new Terminal(true, 70);
    clock = new TickingClock();

    assertThat(run(QUANTIZE + "nf4")).isZero();

    assertThat(err())
        .startsWith("\rreading ")
        .contains("quantizing [===         ", " 7/7 tensors", ", layer.6")
        .doesNotContain("\n");
    assertThat(err().split("\r")).allMatch(line -> line.length() < 70);
    assertThat(err()).endsWith(" \r"); // the bar is taken away
  }

  @Test
  void progressIsPlainLinesElsewhere() {
    clock = new TickingClock();

    assertThat(run(QUANTIZE + "nf4")).isZero();

    assertThat(err().lines())
        .contains("quantizing 1/7 tensors, layer.0")
        .anyMatch(line -> line.startsWith("quantizing 7/7 tensors") && line.endsWith(", layer.6"));
    assertThat(err()).doesNotContain("\r", "[");
  }

  private int quantizeAt(EmbeddedWorker running) {
    return run(
        "quantize --backbone there --scheme int8 --output made --worker 127.0.0.1:"
            + running.port());
  }
}
