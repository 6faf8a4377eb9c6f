package dev.graft.cli.progress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.TrainEvent;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerKind;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.TrainingProgress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

class FarmViewTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final List<WorkerState> known = new ArrayList<>();
  private long now;

  private Progress progress(Terminal terminal) {
    return new Progress(
        new PrintStream(printed, true, UTF_8), terminal, () -> Instant.ofEpochMilli(now));
  }

  private FarmView view(Progress progress, FarmView.Job job) {
    FarmView view = new FarmView(progress, () -> Instant.ofEpochMilli(now), () -> known, job);
    view.onSubscribe(
        new Flow.Subscription() {
          @Override
          public void request(long count) {}

          @Override
          public void cancel() {}
        });
    return view;
  }

  private List<String> lines() {
    return printed.toString(UTF_8).lines().toList();
  }

  private List<String> screen() {
    return Screen.of(printed.toString(UTF_8));
  }

  private static PoolEvent up(String worker) {
    return new PoolEvent.WorkerUp(worker, DescribeWorkerResponse.getDefaultInstance());
  }

  private static PoolEvent tick(long items) {
    return new PoolEvent.Throughput(1, items, 10 * items, 5, 50);
  }

  private static PoolEvent started(long shard, String worker) {
    return new PoolEvent.ShardStarted(1, shard, worker, 10, 100, false);
  }

  @Test
  void saysWhichWorkersAreLostAndBack() {
    try (Progress progress = progress(Terminal.none());
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(up("a:1"));
      view.onNext(up("b:2"));
      view.onNext(started(0, "a:1"));
      view.onNext(new PoolEvent.WorkerDown("a:1", "reset by\n\033peer"));
      view.onNext(up("a:1"));
    }

    assertThat(lines()).containsExactly("worker a:1 is lost: reset by peer", "worker a:1 is back");
  }

  @Test
  void countsShardsThatAreTriedAgainTogether() {
    try (Progress progress = progress(Terminal.none());
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(up("a:1"));
      for (int shard = 0; shard < 3; shard++) {
        view.onNext(new PoolEvent.ShardRetried(1, shard, "a:1", "STALLED", Duration.ZERO));
      }
      view.onNext(tick(0));
      view.onNext(new PoolEvent.ShardRetried(1, 7, "b:2", "OUT_OF_MEMORY", Duration.ZERO));
    }

    assertThat(lines())
        .containsExactly(
            "3 shards failed at a:1 (STALLED), tried again",
            "1 shard failed at b:2 (OUT_OF_MEMORY), tried again");
  }

  @Test
  void saysOnceThatItWaits() {
    known.add(new WorkerState("a:1", Optional.empty(), "connection refused", 0));
    try (Progress progress = progress(Terminal.none());
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(tick(0));
      view.onNext(tick(0));
      view.onNext(up("a:1"));
      view.onNext(tick(0));
      view.onNext(new PoolEvent.WorkerDown("a:1", "gone"));
      view.onNext(tick(0));
    }

    String waits = "no worker is there; waiting for a:1 (%s), no longer than --patience says";
    assertThat(lines())
        .containsExactly(
            waits.formatted("connection refused"),
            "worker a:1 is there",
            "worker a:1 is lost: gone",
            waits.formatted("gone"));
  }

  @Test
  void saysWhyAWorkerIsNotThere() {
    try (Progress progress = progress(new Terminal(true, 70));
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(up("a:1"));
      view.onNext(new PoolEvent.WorkerMissing("b:2", "connection refused"));
      view.onNext(new PoolEvent.WorkerMissing("dns:///c:3", "no such name"));

      assertThat(screen())
          .containsExactly(
              "worker b:2 is not there: connection refused",
              "worker dns:///c:3 is not there: no such name",
              "",
              "  a:1  0 shards, 0 tokens/s",
              "  b:2  down: connection refused");
    }
  }

  @Test
  void warnsOfSeveralKinds() {
    WorkerKind cpu =
        new WorkerKind(
            "1", "cpu", ComputeDtype.COMPUTE_DTYPE_FP32, List.of("COMPUTE_DTYPE_FP32 mkl"), 2_048);
    WorkerKind gpu = new WorkerKind("1", "cuda", ComputeDtype.COMPUTE_DTYPE_BF16, List.of(), 8_192);
    try (Progress progress = progress(Terminal.none());
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(
          new PoolEvent.MixedKinds(Map.of(cpu, List.of("a:1", "c:3"), gpu, List.of("b:2"))));
    }

    assertThat(lines())
        .singleElement()
        .asString()
        .startsWith("warning: workers are of several kinds")
        .contains(
            "a:1, c:3 (graft 1, cpu, fp32 by default, kernels [fp32 mkl], 2048 tokens a batch)",
            "b:2 (graft 1, cuda, bf16 by default, ");
  }

  @Test
  void hasALineForEachWorkerOnATerminal() {
    try (Progress progress = progress(new Terminal(true, 70));
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      progress.update("extracting", "items", 0, 100, "");
      view.onNext(up("a:1"));
      view.onNext(up("bb:22"));
      view.onNext(started(0, "a:1"));
      view.onNext(started(1, "a:1"));
      view.onNext(started(2, "bb:22"));
      now = 10_000;
      view.onNext(new PoolEvent.ShardDone(1, 0, "a:1", 10, 20_000, Duration.ofSeconds(10)));
      view.onNext(new PoolEvent.WorkerDown("bb:22", "gone " + "for good ".repeat(10)));
      progress.update("extracting", "items", 50, 100, "");
      view.onNext(tick(50));

      assertThat(screen())
          .containsExactly(
              "worker bb:22 is lost: gone " + "for good ".repeat(10).strip(),
              "extracting [============            ] 50/100 items, 5.0/s, ETA 0:10",
              "  a:1    1 shard, 2,000 tokens/s",
              ("  bb:22  down: gone " + "for good ".repeat(10)).substring(0, 69).stripTrailing());
    }

    assertThat(screen()).hasSize(1); // what was below the line is gone
  }

  @Test
  void ratesAreOfTheLastSeconds() {
    try (Progress progress = progress(new Terminal(true, 70));
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      view.onNext(up("a:1"));
      view.onNext(started(0, "a:1"));
      now = 30_000;
      view.onNext(new PoolEvent.ShardDone(1, 0, "a:1", 10, 20_000, Duration.ofSeconds(30)));
      view.onNext(tick(10));
      assertThat(screen()).contains("  a:1  0 shards, 1,000 tokens/s");
      now = 51_000;
      view.onNext(tick(10));
      assertThat(screen()).contains("  a:1  0 shards, 0 tokens/s");
    }
  }

  @Test
  void showsATrainingsExtractionAndWhereItTrains() {
    try (Progress progress = progress(new Terminal(true, 70));
        FarmView view = view(progress, FarmView.Job.training(40))) {
      view.onNext(up("a:1"));
      view.onNext(up("b:2"));
      now = 1_000;
      view.onNext(tick(20));
      assertThat(screen().get(0)).startsWith("extracting [============            ] 20/40 items");
      view.onNext(training("b:2"));
      assertThat(screen()).contains("  b:2  training");
      view.onNext(new PoolEvent.TrainingMoved(1, "b:2", "gone", 30));
      view.onNext(training("a:1"));
      assertThat(screen())
          .contains(
              "the training at b:2 was lost (gone); it goes on elsewhere from the checkpoint of"
                  + " step 30",
              "  a:1  training");
    }
  }

  private static PoolEvent training(String worker) {
    return new PoolEvent.Training(
        2, worker, new TrainEvent.Training(TrainingProgress.getDefaultInstance()));
  }

  @Test
  void manyWorkersDoNotFillTheScreen() {
    try (Progress progress = progress(new Terminal(true, 70));
        FarmView view = view(progress, FarmView.Job.extraction(100))) {
      for (int worker = 0; worker < 40; worker++) {
        view.onNext(up("worker-" + worker));
      }
      assertThat(screen()).hasSizeLessThan(20).contains("  and 25 more");
    }
  }
}
