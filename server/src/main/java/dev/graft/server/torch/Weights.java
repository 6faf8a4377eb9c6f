package dev.graft.server.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Named tensors as a program gets them: {@code Dict[str, Tensor]}, of which nothing is copied; or
 * what a program has made of such a dictionary for itself.
 */
public final class Weights {
  private final IValue dictionary;
  private final Map<String, Tensor> tensors;

  private Weights(IValue dictionary, Map<String, Tensor> tensors) {
    this.dictionary = dictionary;
    this.tensors = tensors;
  }

  /**
   * The dictionary lives as long as {@code scope}, which must not outlive the scopes of the
   * tensors.
   */
  public static Weights of(Scope scope, Map<String, Tensor> tensors) {
    Map<String, PtNDArray> arrays = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> arrays.put(name, tensor.array()));
    IValue dictionary = IValue.stringMapFrom(arrays);
    scope.keep(dictionary);
    return new Weights(dictionary, new LinkedHashMap<>(tensors));
  }

  static Weights made(Scope scope, IValue value) {
    scope.keep(value);
    return new Weights(value, Map.of());
  }

  /** The tensors by name, where these are plain weights, in the order in which they were given. */
  public Map<String, Tensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  IValue dictionary() {
    return dictionary;
  }
}
