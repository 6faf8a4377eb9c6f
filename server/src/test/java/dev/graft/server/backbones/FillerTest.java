package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A batch has tokens that are in no sequence, and no sequence sees them. */
final class FillerTest {
  @ParameterizedTest
  @CsvSource({"1,1", "31,31", "33,34", "69,72", "490,496", "497,512", "513,544"})
  void sixteenNumbersOfTokensBetweenPowersOfTwo(int own, int all) {
    TokenBatch batch = batch(List.of(own));
    assertThat(batch.filledFor(Kernel.ONEDNN).ids()).hasSize(all);
    assertThat(batch.filledFor(Kernel.FBGEMM).ids()).hasSize(own);
  }

  @ParameterizedTest
  @ValueSource(strings = {"golden/llama_gqa", "golden/gpt2", "golden/bert"})
  void eachSequenceIsAsAlone(String model) {
    requireEachAsAlone(model, List.of(20, 1, 12, 16, 20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"golden/llama_gqa", "golden/gpt2", "golden/bert"})
  void asManyTokensAsRowsOfTheLongestWouldHave(String model) {
    requireEachAsAlone(model, List.of(34, 36));
  }

  private static void requireEachAsAlone(String model, List<Integer> lengths) {
    TokenBatch together = batch(lengths);
    assertThat(together.filledFor(Kernel.MKL).ids()).hasSizeGreaterThan(together.ids().length);
    try (Backbone backbone =
        Backbones.load(
            Checkpoint.open(Golden.of(model).directory()),
            TestDevice.DEVICE,
            Features.only(Kernel.MKL),
            Long.MAX_VALUE)) {
      for (int layer = 0; layer <= backbone.info().blocks(); layer++) {
        for (Rows rows : Rows.values()) {
          List<float[]> alone = new ArrayList<>();
          for (int length : lengths) {
            alone.addAll(
                Features.of(
                    backbone, Golden.only(rows, batch(List.of(length))), layer, ComputeDtype.FP32));
          }
          assertThat(
                  Golden.relativeError(
                      Features.of(backbone, Golden.only(rows, together), layer, ComputeDtype.FP32),
                      alone))
              .as("layer %d, rows %s", layer, rows)
              .isLessThanOrEqualTo(1e-5);
        }
      }
    }
  }

  /** Each sequence has ids of its own, from 1: 0 is that of the tokens of none. */
  private static TokenBatch batch(List<Integer> lengths) {
    return Golden.batch(
        lengths.stream()
            .map(length -> IntStream.range(0, length).mapToLong(i -> 1 + (i + length) % 50))
            .map(ids -> ids.toArray())
            .toList());
  }
}
