package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.HalfFloats;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;
import dev.graft.v1.DataType;
import dev.graft.v1.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TensorCodecTest {
  @Test
  void everyFloat16SurvivesTheRoundTrip() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = HalfFloats.fromFloat16((short) bits);
      if (Float.isFinite(value)) {
        assertThat(HalfFloats.toFloat16(value)).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void roundsAsTorchDoes() {
    Random random = new Random(7);
    float[] values = new float[20_000];
    for (int i = 0; i < values.length; i++) {
      do {
        values[i] = Float.intBitsToFloat(random.nextInt());
      } while (!Float.isFinite(values[i]));
      if (i % 2 == 0) {
        values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(34) - 26));
      }
    }
    Tensors tensors = Tensors.on(TestDevice.DEVICE);
    try (Scope scope = Scope.open(TestDevice.DEVICE)) {
      dev.graft.server.torch.Tensor exact = scope.floats(values, values.length);
      float[] halves =
          tensors.cast(scope, tensors.cast(scope, exact, DType.F16), DType.F32).toFloats();
      float[] brains =
          tensors.cast(scope, tensors.cast(scope, exact, DType.BF16), DType.F32).toFloats();
      for (int i = 0; i < values.length; i++) {
        assertThat(HalfFloats.fromFloat16(HalfFloats.toFloat16(values[i]))).isEqualTo(halves[i]);
        assertThat(Float.intBitsToFloat(HalfFloats.toBfloat16(values[i]) << 16))
            .isEqualTo(brains[i]);
      }
    }
  }

  @Test
  void decodesWhatItEncodes() {
    float[] values = {9, 1, -2, 0.5f, 9};
    for (DataType type :
        new DataType[] {DataType.DATA_TYPE_F32, DataType.DATA_TYPE_F16, DataType.DATA_TYPE_BF16}) {
      Tensor tensor = TensorCodec.encode(values, 1, 4, type, 3);
      assertThat(TensorCodec.decodeVector(tensor, "x")).containsExactly(1, -2, 0.5f);
    }
  }

  @Test
  void lyingTensorsAreRefused() {
    Tensor.Builder tensor =
        Tensor.newBuilder()
            .setDataType(DataType.DATA_TYPE_F32)
            .addShape(2)
            .setData(ByteString.copyFrom(new byte[8]));
    refused(tensor.clone().clearDataType());
    refused(tensor.clone().setDataTypeValue(77));
    refused(tensor.clone().clearShape());
    refused(tensor.clone().setShape(0, 3));
    refused(tensor.clone().setShape(0, -2));
    refused(tensor.clone().setShape(0, (1L << 62) + 2));
    refused(tensor.clone().addShape(1));
    refused(
        tensor
            .clone()
            .setData(ByteString.copyFrom(new byte[] {0, 0, 0, 0, 0, 0, (byte) 0xC0, 0x7F})));
    assertThat(TensorCodec.decodeVector(tensor.build(), "x")).hasSize(2);
  }

  private static void refused(Tensor.Builder tensor) {
    assertThatThrownBy(() -> TensorCodec.decodeVector(tensor.build(), "items[3].features"))
        .isInstanceOf(GraftException.class)
        .hasMessageContaining("items[3].features");
  }
}
