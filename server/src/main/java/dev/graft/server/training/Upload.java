package dev.graft.server.training;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.List;

/**
 * Puts a dataset on the device.
 *
 * @param program with the methods of upload.py
 * @param scope owns the tensors
 */
record Upload(Program program, Scope scope) {
  /** Values that are sent at once. */
  private static final int PIECE = 1 << 22;

  /** A matrix of many rows, sent in pieces: it may be larger than an array can be. */
  Tensor matrix(List<float[]> rows, int size) {
    Tensor matrix = program.call(scope, "empty", rows.size(), size);
    int rowsAtOnce = Math.max(1, PIECE / size);
    for (int first = 0; first < rows.size(); first += rowsAtOnce) {
      List<float[]> some = rows.subList(first, Math.min(first + rowsAtOnce, rows.size()));
      float[] values = new float[some.size() * size];
      for (int i = 0; i < some.size(); i++) {
        System.arraycopy(some.get(i), 0, values, i * size, size);
      }
      try (Scope piece = Scope.open(scope.device())) {
        program.call(piece, "fill", matrix, piece.floats(values, some.size(), size), first);
      }
    }
    return matrix;
  }

  /** Label values as a matrix. */
  Tensor labelValues(FeatureDataset dataset) {
    List<float[]> rows =
        dataset.labels().stream().map(label -> ((Label.Values) label).values()).toList();
    return matrix(rows, dataset.labelSize());
  }

  /** A weight for each class: those given, or ones. */
  Tensor classWeights(List<Float> weights, int classes) {
    float[] values = new float[classes];
    for (int i = 0; i < classes; i++) {
      values[i] = weights.isEmpty() ? 1 : weights.get(i);
    }
    return scope.floats(values, classes);
  }
}
