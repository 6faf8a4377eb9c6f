package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files with random damage are decoded, or refused with a domain error; nothing else. */
class GgmlMutationTest {
  private static final int ROUNDS = 100;

  /** Blocks of Q4_K, Q6_K and Q5_0, and tensors in F32. */
  private static final Path SOUND = Path.of("src/test/resources/gguf/llama-tiny.q4_k_m.gguf");

  @TempDir private Path directory;

  @Test
  void damageIsReadOrRefused() throws IOException {
    Checkpoint sound = Checkpoint.open(SOUND);
    Map<String, long[]> shapes =
        sound.names().stream()
            .collect(
                Collectors.toMap(
                    name -> name, name -> sound.ggufTensor(name).orElseThrow().shape()));
    byte[] file = Files.readAllBytes(SOUND);
    Random random = new Random(5);
    int read = 0;
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Path damaged = directory.resolve("round" + round + ".gguf");
      Files.write(damaged, damaged(file, random));
      try {
        Checkpoint checkpoint = Checkpoint.open(damaged);
        for (Map.Entry<String, long[]> each : shapes.entrySet()) {
          long[] shape = each.getValue();
          GgmlWeight.find(checkpoint, each.getKey(), shape)
              .ifPresent(weight -> assertDecodes(weight, shape));
        }
        read++;
      } catch (GraftException e) {
        refused++;
      }
      Files.delete(damaged);
    }
    assertThat(refused).isGreaterThan(ROUNDS / 8);
    assertThat(read).isGreaterThan(ROUNDS / 8);
  }

  private static void assertDecodes(QuantizedWeight weight, long[] shape) {
    assertThat(Decoding.decode(weight, DType.F32))
        .hasSize((int) Arrays.stream(shape).reduce(1, (a, b) -> a * b));
  }

  /** Up to four bytes changed, half of the time in the header, and sometimes the end cut off. */
  private static byte[] damaged(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    int first = random.nextBoolean() ? 16_384 : bytes.length;
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(first)] = (byte) random.nextInt();
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }
}
