package dev.graft.spark;

import dev.graft.v1.Activation;
import dev.graft.v1.ProjectorKind;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;

/**
 * Which projector stands on which features, and where its predictions go.
 *
 * @param <T> the stage
 */
public interface HasProjector<T extends HasProjector<T>> extends Params {
  /** The column with the features. */
  default Param<String> featuresCol() {
    return new Param<>(this, "featuresCol", "the column with the features: vectors or arrays");
  }

  /** The column to add with the classes. */
  default Param<String> predictionCol() {
    return new Param<>(this, "predictionCol", "the column to add with the most probable classes");
  }

  /** The column to add with the probabilities of the classes. */
  default Param<String> probabilityCol() {
    return new Param<>(
        this, "probabilityCol", "the column to add with the probabilities of the classes");
  }

  /** The shape of the projector. */
  default Param<String> projector() {
    return EnumParam.of(
        this, "projector", "the shape of the projector", ProjectorKind.getDescriptor());
  }

  /** The sizes of an MLP's hidden layers. */
  default IntArrayParam hiddenSizes() {
    return new IntArrayParam(this, "hiddenSizes", "sizes of the hidden layers of an mlp");
  }

  /** What is between an MLP's layers. */
  default Param<String> activation() {
    return EnumParam.of(
        this, "activation", "between the layers of an mlp", Activation.getDescriptor());
  }

  default String getFeaturesCol() {
    return getOrDefault(featuresCol());
  }

  default String getPredictionCol() {
    return getOrDefault(predictionCol());
  }

  default String getProbabilityCol() {
    return getOrDefault(probabilityCol());
  }

  default String getProjector() {
    return getOrDefault(projector());
  }

  default int[] getHiddenSizes() {
    return getOrDefault(hiddenSizes());
  }

  default String getActivation() {
    return getOrDefault(activation());
  }

  /** Default: features. */
  default T setFeaturesCol(String name) {
    return Settings.set(self(), featuresCol(), name);
  }

  /** Default: prediction. */
  default T setPredictionCol(String name) {
    return Settings.set(self(), predictionCol(), name);
  }

  /** Default: probability. */
  default T setProbabilityCol(String name) {
    return Settings.set(self(), probabilityCol(), name);
  }

  @SuppressWarnings("unchecked") // that is what T is for
  private T self() {
    return (T) this;
  }
}
