package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A backbone whose blocks are made on demand gives the very bytes of one that is in memory. */
class OnDemandTest {
  @TempDir Path temporary;

  static Stream<Arguments> modelsAndKernels() {
    return GoldenFeaturesTest.modelsAndKernels();
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void bytesAreThoseOfTheWholeModelInOneCall(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone whole = load(golden.directory(), kernel, Long.MAX_VALUE);
        Backbone onDemand = load(golden.directory(), kernel, 1000)) {
      for (ComputeDtype dtype : List.of(ComputeDtype.FP32, ComputeDtype.BF16)) {
        assertThat(whole.steps(dtype)).isEmpty();
        assertThat(onDemand.steps(dtype)).isPresent();
        assertThat(onDemand.programText(dtype)).isEqualTo(whole.programText(dtype));
        for (int layer = 0; layer <= whole.info().blocks(); layer++) {
          for (Rows rows : Rows.values()) {
            TokenBatch batch = Golden.only(rows, batch(golden));
            List<float[]> expected = Features.of(whole, batch, layer, dtype);
            List<float[]> actual = Features.of(onDemand, batch, layer, dtype);
            assertThat(actual)
                .as("%s, layer %d, rows %s", dtype, layer, rows)
                .usingRecursiveComparison()
                .isEqualTo(expected);
          }
        }
      }
      assertThat(onDemand.info()).isEqualTo(whole.info());
    }
  }

  @Test
  void filesThatChangeUnderTheBlocksAreRefused() throws IOException {
    Golden golden = Golden.of("golden/llama_gqa");
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(golden.directory().resolve(name), temporary.resolve(name));
    }
    try (Backbone backbone = load(temporary, Kernel.MKL, 1000)) {
      Features.of(backbone, batch(golden), 1, ComputeDtype.FP32);
      Path file = temporary.resolve("model.safetensors");
      Files.setLastModifiedTime(file, FileTime.fromMillis(1000));
      GraftException error =
          catchThrowableOfType(
              GraftException.class,
              () -> Features.of(backbone, batch(golden), 1, ComputeDtype.FP32));
      assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
      assertThat(error).hasMessageContaining("model.safetensors").hasMessageContaining("changed");
    }
  }

  private static TokenBatch batch(Golden golden) {
    return Golden.batch(golden.rows("right.input_ids", "right.attention_mask"));
  }

  private static Backbone load(Path directory, Kernel kernel, long weightsMemoryBytes) {
    return Backbones.load(
        Checkpoint.open(directory), TestDevice.DEVICE, Features.only(kernel), weightsMemoryBytes);
  }
}
