package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints with random damage are read, or refused with a domain error; nothing else. */
class PackedMutationTest {
  private static final int ROUNDS = 400;
  private static final List<String> VALUES =
      List.of(
          "null",
          "0",
          "1",
          "-1",
          "2",
          "3",
          "8",
          "31",
          "2147483647",
          "-2147483648",
          "1e300",
          "0.5",
          "true",
          "false",
          "\"\"",
          "\"gptq\"",
          "\"gptq_v2\"",
          "\"awq\"",
          "\"gemm\"",
          "[]",
          "{}",
          "[[]]",
          "{\"a\": 1}");

  @TempDir private Path directory;

  private interface Reader {
    Optional<QuantizedWeight> find(Checkpoint checkpoint, String weight, long[] shape);
  }

  @Test
  void gptq() throws IOException {
    rounds(
        random -> {
          int bits = new int[] {3, 4, 8}[random.nextInt(3)];
          PackedCheckpoint packed =
              PackedCheckpoint.gptq(64, 32, bits, 16, random.nextBoolean(), random);
          return random.nextBoolean() ? packed.shuffled(random) : packed;
        },
        Gptq::find);
  }

  @Test
  void awq() throws IOException {
    rounds(random -> PackedCheckpoint.awq(64, 32, 16, random), Awq::find);
  }

  private interface Maker {
    PackedCheckpoint make(Random random);
  }

  private void rounds(Maker maker, Reader reader) throws IOException {
    Random random = new Random(7);
    int refused = 0;
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      PackedCheckpoint packed = maker.make(random);
      Path folder = Files.createDirectory(directory.resolve("round" + round));
      if (random.nextInt(3) == 0) {
        changeOption(packed.options, random);
      }
      byte[] configuration = packed.configurationBytes();
      byte[] file = packed.fileBytes();
      switch (random.nextInt(3)) {
        case 0 -> configuration = damaged(configuration, configuration.length, random);
        case 1 -> file = damaged(file, Math.min(file.length, 1024), random); // in the header
        default -> file = damaged(file, file.length, random);
      }
      Files.write(folder.resolve("config.json"), configuration);
      Files.write(folder.resolve("model.safetensors"), file);
      try {
        Optional<QuantizedWeight> found =
            reader.find(Checkpoint.open(folder), PackedCheckpoint.WEIGHT, new long[] {32, 64});
        if (found.isPresent()) {
          float[] values = PackedFixture.decode(found.get(), DType.F32);
          assertThat(values).as("round %d", round).hasSize(32 * 64);
          for (float value : values) {
            assertThat(value).as("round %d", round).isFinite();
          }
          read++;
        }
      } catch (GraftException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(ROUNDS / 4);
    assertThat(read).isGreaterThan(ROUNDS / 8);
  }

  private static void changeOption(ObjectNode options, Random random) {
    List<String> names = new ArrayList<>();
    options.fieldNames().forEachRemaining(names::add);
    String name = names.get(random.nextInt(names.size()));
    PackedSpoiling.set(options, name, VALUES.get(random.nextInt(VALUES.size())));
  }

  /** One to four bytes changed among the first, and sometimes the end cut off. */
  private static byte[] damaged(byte[] sound, int first, Random random) {
    byte[] bytes = sound.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = random.nextInt(first);
      bytes[at] =
          (byte) (random.nextBoolean() ? bytes[at] ^ 1 << random.nextInt(8) : random.nextInt());
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }
}
