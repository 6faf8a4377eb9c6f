package dev.graft.server.backbones;

import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Inputs and hidden states that transformers computed for a tiny model: {@code golden.safetensors}
 * beside its checkpoint.
 */
record Golden(Path directory, Map<String, TensorEntry> tensors) {
  /** Models in a folder among the test resources. */
  static List<String> models(String folder) {
    try (Stream<Path> models = Files.list(folder(folder))) {
      return models.map(path -> folder + "/" + path.getFileName()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Golden of(String model) {
    return of(model, "golden.safetensors");
  }

  static Golden of(String folder, String file) {
    Path directory = folder(folder);
    return new Golden(directory, Safetensors.open(directory.resolve(file)).tensors());
  }

  private static Path folder(String folder) {
    try {
      return Path.of(Golden.class.getResource("/" + folder).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  boolean has(String name) {
    return tensors.containsKey(name);
  }

  long[] longs(String name) {
    ByteBuffer bytes = tensors.get(name).read();
    long[] values = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(values);
    return values;
  }

  float[] floats(String name) {
    ByteBuffer bytes = tensors.get(name).read();
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** The real values of each row, without its padding, wherever that is. */
  List<long[]> rows(String name, String mask) {
    long[] values = longs(name);
    long[] real = longs(mask);
    int rows = (int) tensors.get(mask).shape()[0];
    int width = real.length / rows;
    List<long[]> result = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      long[] kept = new long[width];
      int count = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        if (real[i] == 1) {
          kept[count++] = values[i];
        }
      }
      result.add(Arrays.copyOf(kept, count));
    }
    return result;
  }

  static TokenBatch batch(List<long[]> rows) {
    List<int[]> ids =
        rows.stream().map(row -> Arrays.stream(row).mapToInt(i -> (int) i).toArray()).toList();
    return TokenBatch.of(ids, Collections.nCopies(ids.size(), null), Rows.ALL);
  }

  /** The same batch, of which only these rows are asked for. */
  static TokenBatch only(Rows rows, TokenBatch batch) {
    return new TokenBatch(batch.ids(), batch.typeIds(), batch.lengths(), rows);
  }

  /** The hidden states of each row's real tokens, one after the other. */
  List<float[]> features(String name, String mask) {
    float[] values = floats(name);
    long[] real = longs(mask);
    int size = values.length / real.length;
    int rows = (int) tensors.get(mask).shape()[0];
    int width = real.length / rows;
    List<float[]> result = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      float[] kept = new float[width * size];
      int count = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        if (real[i] == 1) {
          System.arraycopy(values, i * size, kept, count * size, size);
          count++;
        }
      }
      result.add(Arrays.copyOf(kept, count * size));
    }
    return result;
  }

  /** The largest difference, as a part of the largest value. */
  static double relativeError(List<float[]> actual, List<float[]> expected) {
    double difference = 0;
    double largest = 0;
    for (int row = 0; row < expected.size(); row++) {
      if (actual.get(row).length != expected.get(row).length) {
        return Double.POSITIVE_INFINITY;
      }
      for (int i = 0; i < expected.get(row).length; i++) {
        double error = Math.abs((double) actual.get(row)[i] - expected.get(row)[i]);
        difference = error <= difference ? difference : error; // NaN becomes the result
        largest = Math.max(largest, Math.abs(expected.get(row)[i]));
      }
    }
    return difference / largest;
  }
}
