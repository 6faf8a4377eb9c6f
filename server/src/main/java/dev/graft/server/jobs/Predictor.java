package dev.graft.server.jobs;

import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.training.TrainedProjector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a trained projector says of items.
 *
 * @param probabilities how its output becomes probabilities
 */
public record Predictor(TrainedProjector projector, Probabilities probabilities) {
  /** How logits become probabilities. */
  public enum Probabilities {
    NONE,
    SOFTMAX,
    SIGMOID
  }

  /** Predictions of several items, in their order. */
  List<Prediction> predict(List<ItemFeatures> items) {
    int inputs = projector.inputSize();
    int outputs = projector.outputSize();
    float[] features = new float[items.size() * inputs];
    for (int i = 0; i < items.size(); i++) {
      float[] values = items.get(i).values();
      if (values.length != inputs) {
        throw ItemPlace.content(ExtractJob.ITEMS, items.get(i).slot())
            .error(
                "FEATURE_SIZE",
                "features",
                "has a feature of " + values.length + " values, but the projector takes " + inputs);
      }
      System.arraycopy(values, 0, features, i * inputs, inputs);
    }
    float[] logits = projector.project(features);
    List<Prediction> predictions = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      float[] own = Arrays.copyOfRange(logits, i * outputs, (i + 1) * outputs);
      predictions.add(new Prediction(own, probabilities(own)));
    }
    return predictions;
  }

  private float[] probabilities(float[] logits) {
    return switch (probabilities) {
      case NONE -> null;
      case SOFTMAX -> softmax(logits);
      case SIGMOID -> sigmoid(logits);
    };
  }

  private static float[] softmax(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    float[] probabilities = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      probabilities[i] = (float) (Math.exp(logits[i] - largest) / sum);
    }
    return probabilities;
  }

  private static float[] sigmoid(float[] logits) {
    float[] probabilities = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      probabilities[i] = (float) (1 / (1 + Math.exp(-(double) logits[i])));
    }
    return probabilities;
  }
}
