package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.util.Arrays;

/** The keys of one architecture, whose name stands before each of them. */
record GgufKeys(Gguf gguf, String architecture) {
  private static final int MOST = 1 << 24;

  GgufMetadata metadata() {
    return gguf.metadata();
  }

  String key(String key) {
    return architecture + "." + key;
  }

  boolean has(String key) {
    return metadata().has(key(key));
  }

  int size(String key) {
    return (int) metadata().integer(key(key), 1, MOST);
  }

  int size(String key, int defaultValue) {
    return (int) metadata().integer(key(key), defaultValue, 1, MOST);
  }

  double number(String key) {
    return metadata().number(key(key));
  }

  double number(String key, double defaultValue) {
    return metadata().number(key(key), defaultValue);
  }

  /** A setting that may be there with this value only. */
  void requireNumber(String key, double only, String why) {
    if (number(key, only) != only) {
      throw metadata().unsupported(key(key), why);
    }
  }

  /** The number of rows of a matrix that must be there. */
  long rows(String tensor) {
    GgufTensor found = gguf.tensors().get(tensor);
    if (found == null) {
      throw GraftException.failedPrecondition(
              "MISSING_TENSOR", "%s has no tensor %s".formatted(gguf.file(), tensor))
          .with("tensor", tensor);
    }
    if (found.shape().length != 2) {
      throw Corruption.of(
          gguf.file(), tensor, "has shape %s, no matrix".formatted(Arrays.toString(found.shape())));
    }
    return found.shape()[0];
  }
}
