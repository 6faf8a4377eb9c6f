package dev.graft.server.training;

import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Small runs on random data. */
final class Runs {
  static final int FEATURES = 10;
  static final int CLASSES = 3;

  private Runs() {}

  static ProjectorSpec mlp(Activation activation, boolean layerNorm, double dropout) {
    return new ProjectorSpec(
        ProjectorSpec.Kind.MLP, List.of(7, 6), activation, dropout, layerNorm, 0, true);
  }

  static Objective crossEntropy() {
    return new Objective.CrossEntropy(CLASSES, List.of());
  }

  /** Items that fit the objective; pairs and labels too. */
  static FeatureDataset dataset(Objective objective, int items, int outputs, long seed) {
    Random random = new Random(seed);
    FeatureCollector collector =
        new FeatureCollector("items", objective, 0, new FeatureMemory(Long.MAX_VALUE).open());
    boolean paired =
        objective instanceof Objective.InfoNce || objective instanceof Objective.CosineEmbedding;
    for (int i = 0; i < items; i++) {
      Optional<Label> label = label(objective, outputs, random);
      collector.add(new TrainingItem(i, label, paired, new byte[] {(byte) i, (byte) seed}));
      collector.put(i, floats(FEATURES, random));
      if (paired) {
        collector.putPair(i, floats(FEATURES, random));
      }
    }
    return collector.finish();
  }

  private static Optional<Label> label(Objective objective, int outputs, Random random) {
    if (objective instanceof Objective.CrossEntropy crossEntropy) {
      return Optional.of(new Label.ClassIndex(random.nextInt(crossEntropy.numClasses())));
    }
    if (objective instanceof Objective.BinaryCrossEntropy binary) {
      return Optional.of(
          new Label.ClassSet(
              random.ints(0, binary.numClasses()).limit(2).distinct().asLongStream().toArray()));
    }
    if (objective instanceof Objective.MeanSquaredError) {
      return Optional.of(new Label.Values(floats(outputs, random)));
    }
    return objective instanceof Objective.CosineEmbedding && random.nextBoolean()
        ? Optional.of(new Label.Values(-1))
        : Optional.empty();
  }

  static float[] floats(int count, Random random) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static TrainingRun prepare(
      TrainingSpec spec, FeatureDataset train, FeatureDataset eval, byte[] checkpoint) {
    return TrainingRun.prepare(
        TestDevice.DEVICE,
        spec,
        train,
        eval,
        Optional.empty(),
        checkpoint.length == 0 ? Optional.empty() : Optional.of(checkpoint));
  }

  static RecordingListener finish(
      TrainingSpec spec, FeatureDataset train, FeatureDataset eval, byte[] checkpoint) {
    RecordingListener heard = new RecordingListener();
    try (TrainingRun run = prepare(spec, train, eval, checkpoint)) {
      while (run.step(heard)) {}
    }
    return heard;
  }

  /** Every checkpoint that can be had: one after each step and each part of an evaluation. */
  static List<byte[]> allCheckpoints(TrainingSpec spec, FeatureDataset train, FeatureDataset eval) {
    List<byte[]> checkpoints = new ArrayList<>();
    TrainingListener collecting =
        new TrainingListener() {
          @Override
          public void checkpoint(long step, byte[] file) {
            checkpoints.add(file);
          }
        };
    try (TrainingRun run = prepare(spec, train, eval, new byte[0])) {
      do {
        run.requestCheckpoint();
      } while (run.step(collecting));
    }
    return checkpoints;
  }
}
