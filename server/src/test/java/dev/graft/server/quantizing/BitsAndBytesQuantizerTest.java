package dev.graft.server.quantizing;

import static dev.graft.server.quantizing.BitsAndBytesVectors.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.quantizing.BitsAndBytesVectors.Case;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Encodes what bitsandbytes encoded, to the same bytes. */
class BitsAndBytesQuantizerTest {
  private static final String NAME = "layer.weight";

  static List<Case> fourBitCases() {
    return BitsAndBytesVectors.fourBit();
  }

  static List<Case> int8Cases() {
    return BitsAndBytesVectors.int8();
  }

  private static Map<String, TensorData> quantize(BitsAndBytesScheme scheme, Case c) {
    return BitsAndBytes.quantizer(scheme).quantize(NAME, c.source()).stream()
        .collect(Collectors.toMap(TensorData::name, Function.identity()));
  }

  @ParameterizedTest
  @MethodSource("fourBitCases")
  void encodesInFourBits(Case c) {
    Map<String, TensorData> parts =
        quantize(new BitsAndBytesScheme.FourBit(c.type(), c.blockSize(), false), c);
    String state = NAME + ".quant_state.bitsandbytes__" + c.type().text();
    assertThat(parts).containsOnlyKeys(NAME, NAME + ".absmax", NAME + ".quant_map", state);
    assertSame(parts.get(NAME), tensor(c.key() + ".packed"));
    assertSame(parts.get(NAME + ".absmax"), tensor(c.key() + ".absmax"));
    assertSame(parts.get(NAME + ".quant_map"), tensor("code." + c.type().text()));
    assertThat(text(parts.get(state))).isEqualTo(c.text("quant_state"));
  }

  @ParameterizedTest
  @MethodSource("fourBitCases")
  void encodesScalesToo(Case c) {
    Map<String, TensorData> parts =
        quantize(new BitsAndBytesScheme.FourBit(c.type(), c.blockSize(), true), c);
    String state = NAME + ".quant_state.bitsandbytes__" + c.type().text();
    assertThat(parts)
        .containsOnlyKeys(
            NAME,
            NAME + ".absmax",
            NAME + ".quant_map",
            NAME + ".nested_absmax",
            NAME + ".nested_quant_map",
            state);
    assertSame(parts.get(NAME), tensor(c.key() + ".packed"));
    assertSame(parts.get(NAME + ".absmax"), tensor(c.key() + ".dq.absmax"));
    assertSame(parts.get(NAME + ".nested_absmax"), tensor(c.key() + ".dq.nested_absmax"));
    assertSame(parts.get(NAME + ".nested_quant_map"), tensor("dynamic_map"));
    assertThat(text(parts.get(state))).isEqualTo(c.text("quant_state_dq"));
  }

  @ParameterizedTest
  @MethodSource("int8Cases")
  void encodesInt8(Case c) {
    Map<String, TensorData> parts = quantize(new BitsAndBytesScheme.Int8(), c);
    assertThat(parts).containsOnlyKeys(NAME, "layer.SCB", "layer.weight_format");
    assertSame(parts.get(NAME), tensor(c.key() + ".weight"));
    assertSame(parts.get("layer.SCB"), tensor(c.key() + ".SCB"));
    TensorData format = parts.get("layer.weight_format");
    assertThat(format.type()).isEqualTo(StoredType.U8);
    assertThat(format.shape()).isEmpty();
    assertThat(format.bytes().get()).isZero();
  }

  @Test
  void scalesAreLookedUpThroughTheReferencesTable() {
    TensorData table = tensor("blockwise.lut");
    for (int i = 0; i < 1 << 16; i++) {
      assertThat(DynamicMap.code((float) (i * (2. / 65535) - 1)))
          .as("%d", i)
          .isEqualTo(table.bytes().get(i));
    }
  }

  private static void assertSame(TensorData actual, TensorData expected) {
    assertThat(actual.type()).isEqualTo(expected.type());
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.bytes()).isEqualTo(expected.bytes());
  }

  private static String text(TensorData tensor) {
    return StandardCharsets.UTF_8.decode(tensor.bytes()).toString();
  }
}
