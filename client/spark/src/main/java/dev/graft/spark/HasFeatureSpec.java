package dev.graft.spark;

import dev.graft.v1.ComputeDtype;
import dev.graft.v1.Overlength;
import dev.graft.v1.Pooling;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.Params;

/**
 * How features are computed, with the names of the contract's {@code FeatureSpec}.
 *
 * @param <T> the stage
 */
public interface HasFeatureSpec<T extends HasFeatureSpec<T>> extends Params {
  /** The frozen transformer. */
  default Param<String> backbone() {
    return new Param<>(
        this, "backbone", "a directory under the workers' model roots, or hf://ORGANIZATION/NAME");
  }

  /** How the hidden states of a text's tokens become its feature. */
  default Param<String> pooling() {
    return EnumParam.of(
        this, "pooling", "how tokens become a feature", Pooling.getDescriptor(), "none");
  }

  /** Which hidden state. */
  default IntParam layer() {
    return new IntParam(
        this, "layer", "which hidden state: 0 the output of the embeddings, -1 the last");
  }

  /** Whether features are divided by their L2 norms. */
  default BooleanParam normalize() {
    return new BooleanParam(this, "normalize", "whether features are divided by their L2 norms");
  }

  /** The type in which the backbone's products are computed. */
  default Param<String> computeDtype() {
    return EnumParam.of(
        this, "computeDtype", "what the backbone computes in", ComputeDtype.getDescriptor());
  }

  /** The longest text, in tokens with the special ones. */
  default IntParam maxTokens() {
    return new IntParam(
        this, "maxTokens", "longest text in tokens, at least 1", ParamValidators.gt(0));
  }

  /** What happens to longer texts. */
  default Param<String> overlength() {
    return EnumParam.of(
        this, "overlength", "what happens to longer texts", Overlength.getDescriptor());
  }

  default String getBackbone() {
    return getOrDefault(backbone());
  }

  default String getPooling() {
    return getOrDefault(pooling());
  }

  default int getLayer() {
    return (int) getOrDefault(layer());
  }

  default boolean getNormalize() {
    return (boolean) getOrDefault(normalize());
  }

  default String getComputeDtype() {
    return getOrDefault(computeDtype());
  }

  default int getMaxTokens() {
    return (int) getOrDefault(maxTokens());
  }

  default String getOverlength() {
    return getOrDefault(overlength());
  }

  /** Sets the backbone; must be set. */
  default T setBackbone(String path) {
    return Settings.set(self(), backbone(), path);
  }

  /**
   * {@code last}, {@code mean}, {@code cls} or {@code max}. Default: last for causal backbones,
   * mean for others.
   */
  default T setPooling(String name) {
    return Settings.set(self(), pooling(), name);
  }

  /** Counts as transformers' {@code hidden_states} does. Default: -1, the last. */
  default T setLayer(int number) {
    return Settings.set(self(), layer(), number);
  }

  /** Default: false. */
  default T setNormalize(boolean yes) {
    return Settings.set(self(), normalize(), yes);
  }

  /**
   * {@code fp32}, {@code bf16}, {@code fp16} or {@code int8-dynamic}. Default: what is fastest on
   * the worker. Where workers may be of several kinds, set it, so that features are of one kind.
   */
  default T setComputeDtype(String name) {
    return Settings.set(self(), computeDtype(), name);
  }

  /** Default: the backbone's own limit, which is also the largest value allowed. */
  default T setMaxTokens(int count) {
    return Settings.set(self(), maxTokens(), count);
  }

  /** {@code truncate}, or {@code reject}: fails the task. Default: truncate. */
  default T setOverlength(String name) {
    return Settings.set(self(), overlength(), name);
  }

  @SuppressWarnings("unchecked") // that is what T is for
  private T self() {
    return (T) this;
  }
}
