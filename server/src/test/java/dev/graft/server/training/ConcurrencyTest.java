package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.torch.Lanes;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Runs that take turns on lanes equal their solo runs, byte for byte. */
class ConcurrencyTest {
  private static final FeatureDataset TRAIN = Runs.dataset(Runs.crossEntropy(), 60, 0, 1);

  @Test
  void concurrentRunsEqualSoloRuns() {
    List<TrainingSpec> specs = List.of(spec(1), spec(2));
    List<RecordingListener> together = specs.stream().map(s -> new RecordingListener()).toList();
    try (Lanes lanes = Lanes.start(2);
        TrainingRun first = Runs.prepare(specs.get(0), TRAIN, FeatureDataset.empty(), new byte[0]);
        TrainingRun second =
            Runs.prepare(specs.get(1), TRAIN, FeatureDataset.empty(), new byte[0])) {
      CompletableFuture.allOf(
              drive(lanes.open(), first, together.get(0)),
              drive(lanes.open(), second, together.get(1)))
          .join();
    }
    for (int i = 0; i < specs.size(); i++) {
      RecordingListener solo =
          Runs.finish(specs.get(i), TRAIN, FeatureDataset.empty(), new byte[0]);
      assertThat(together.get(i).log).isEqualTo(solo.log);
      assertThat(together.get(i).result.projectorFile()).isEqualTo(solo.result.projectorFile());
      assertThat(together.get(i).checkpoints.keySet()).isEqualTo(solo.checkpoints.keySet());
      for (Map.Entry<Long, byte[]> checkpoint : solo.checkpoints.entrySet()) {
        assertThat(together.get(i).checkpoints.get(checkpoint.getKey()))
            .isEqualTo(checkpoint.getValue());
      }
    }
  }

  private static CompletableFuture<Void> drive(
      Lanes.Turns turns, TrainingRun run, TrainingListener listener) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    submit(turns, run, listener, done);
    return done;
  }

  private static void submit(
      Lanes.Turns turns, TrainingRun run, TrainingListener listener, CompletableFuture<Void> done) {
    turns.submit(
        () -> run.step(listener),
        (more, error) -> {
          if (error != null) {
            done.completeExceptionally(error);
          } else if (more) {
            submit(turns, run, listener, done);
          } else {
            done.complete(null);
          }
        });
  }

  private static TrainingSpec spec(long seed) {
    return new TrainingSpec(
        Runs.mlp(Activation.SILU, true, 0.2),
        Runs.crossEntropy(),
        TrainingArguments.builder()
            .seed(seed)
            .learningRate(0.01)
            .loggingSteps(1)
            .saveSteps(7)
            .build());
  }
}
