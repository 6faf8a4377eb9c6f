package dev.graft.server.training;

import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Values. */
record MeanSquaredErrorLoss() implements Loss {
  @Override
  public String program() {
    return "mean_squared_error.py";
  }

  @Override
  public Map<String, Object> literals() {
    return Map.of();
  }

  @Override
  public Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset) {
    return Map.of("labels", upload.labelValues(dataset));
  }

  @Override
  public List<String> metrics() {
    return List.of("eval_mae", "eval_r2");
  }

  @Override
  public Measurement measurement(FeatureDataset dataset) {
    int outputs = dataset.labelSize();
    return new Measurement() {
      private final double[] squares = new double[outputs];
      private final double[] sums = new double[outputs];
      private final double[] squaredErrors = new double[outputs];
      private double absolute;

      @Override
      public void add(float[] predicted, int first) {
        for (int i = 0; i < predicted.length / outputs; i++) {
          float[] label = ((Label.Values) dataset.labels().get(first + i)).values();
          // Counted from the first label, so that the variance of large values keeps its digits.
          float[] origin = ((Label.Values) dataset.labels().get(0)).values();
          for (int j = 0; j < outputs; j++) {
            double value = (double) label[j] - origin[j];
            double error = (double) predicted[i * outputs + j] - label[j];
            sums[j] += value;
            squares[j] += value * value;
            squaredErrors[j] += error * error;
            absolute += Math.abs(error);
          }
        }
      }

      /** R2 is the mean over the outputs, and has no meaning where one of them is constant. */
      @Override
      public Map<String, Double> metrics(int items) {
        Map<String, Double> metrics = new TreeMap<>();
        metrics.put("eval_mae", absolute / items / outputs);
        double r2 = 0;
        for (int j = 0; j < outputs; j++) {
          double variation = squares[j] - sums[j] * sums[j] / items;
          r2 += (1 - squaredErrors[j] / variation) / outputs;
        }
        if (Double.isFinite(r2)) {
          metrics.put("eval_r2", r2);
        }
        return metrics;
      }
    };
  }
}
