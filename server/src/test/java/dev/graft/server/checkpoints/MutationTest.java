package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with random damage are read, or refused with a domain error; nothing else comes out. */
class MutationTest {
  private static final int ROUNDS = 500;

  @TempDir private Path directory;

  @Test
  void safetensors() {
    byte[] file =
        SafetensorsWriter.toBytes(
            List.of(
                TensorData.floats("weight", new float[6], 2, 3),
                TensorData.floats("bias", new float[2], 2)),
            Map.of("format", "pt"));
    Random random = new Random(1);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] damaged = damage(file, random);
      try {
        Safetensors.read(
            ByteBuffer.wrap(damaged),
            problem -> GraftException.invalidArgument("CORRUPT_CHECKPOINT", problem));
      } catch (GraftException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(ROUNDS / 4, ROUNDS);
  }

  @Test
  void onnx() throws IOException {
    byte[] file = OnnxBuilder.bert().build();
    Path damagedFile = directory.resolve("model.onnx");
    Random random = new Random(2);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Files.write(damagedFile, damage(file, random));
      try {
        OnnxGraph graph = OnnxReader.read(damagedFile);
        OnnxBertConfiguration.of(graph, OnnxInitializers.of(graph));
      } catch (GraftException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(ROUNDS / 4, ROUNDS);
  }

  @Test
  void gguf() throws IOException {
    Path wholeFile = directory.resolve("whole.gguf");
    GgufModels.llama().write(wholeFile);
    byte[] file = Files.readAllBytes(wholeFile);
    Path damagedFile = directory.resolve("damaged.gguf");
    Random random = new Random(3);
    int refused = 0;
    for (int round = 0; round < 4 * ROUNDS; round++) {
      Files.write(damagedFile, damage(file, random));
      try {
        Checkpoint checkpoint = Checkpoint.open(damagedFile);
        checkpoint.tensors().forEach(TensorEntry::read);
        checkpoint.tokenizerText();
      } catch (GraftException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(ROUNDS, 4 * ROUNDS);
  }

  /** One to four bytes changed, and sometimes a piece cut out, doubled, or the end cut off. */
  private static byte[] damage(byte[] file, Random random) {
    byte[] bytes = file.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = random.nextInt(bytes.length);
      bytes[at] =
          (byte) (random.nextBoolean() ? bytes[at] ^ 1 << random.nextInt(8) : random.nextInt());
    }
    int from = random.nextInt(bytes.length);
    int to = from + random.nextInt(Math.min(32, bytes.length - from));
    return switch (random.nextInt(6)) {
      case 0 -> Arrays.copyOf(bytes, from);
      case 1 ->
          OnnxBuilder.concat(
              Arrays.copyOf(bytes, from), Arrays.copyOfRange(bytes, to, bytes.length));
      case 2 ->
          OnnxBuilder.concat(
              Arrays.copyOf(bytes, to), Arrays.copyOfRange(bytes, from, bytes.length));
      default -> bytes;
    };
  }
}
