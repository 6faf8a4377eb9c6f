package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.v1.DataType;
import dev.graft.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TensorsTest {
  @Test
  void floatsAreLittleEndianAndComeBack() {
    Tensor tensor = Tensors.fromFloats(new float[] {1, -2.5f, Float.MIN_VALUE}, 1, 3);
    assertThat(tensor.getData().substring(0, 4).toByteArray()).containsExactly(0, 0, 0x80, 0x3f);
    assertThat(tensor.getShapeList()).containsExactly(1L, 3L);
    assertThat(Tensors.toFloats(tensor)).containsExactly(1, -2.5f, Float.MIN_VALUE);
  }

  @Test
  void aScalarHasNoShape() {
    assertThat(Tensors.toFloats(Tensors.fromFloats(new float[] {7}))).containsExactly(7);
  }

  @Test
  void halvesWiden() {
    Tensor tensor =
        sixteenBit(
            DataType.DATA_TYPE_F16, 0x3c00, 0xc100, 0x0001, 0x83ff, 0x0400, 0x7bff, 0x7c00, 0x8000);
    assertThat(Tensors.toFloats(tensor))
        .containsExactly(
            1, -2.5f, 0x1p-24f, -0x3ffp-24f, 0x1p-14f, 65504, Float.POSITIVE_INFINITY, -0f);
    assertThat(Tensors.toFloats(sixteenBit(DataType.DATA_TYPE_F16, 0x7e00))[0]).isNaN();
  }

  @Test
  void bfloatsWiden() {
    Tensor tensor = sixteenBit(DataType.DATA_TYPE_BF16, 0x3f80, 0xc020, 0xff80, 0x0001);
    assertThat(Tensors.toFloats(tensor))
        .containsExactly(1, -2.5f, Float.NEGATIVE_INFINITY, 0x1p-133f);
  }

  @Test
  void bytesThatDoNotFillTheShapeAreRefused() {
    Tensor full = Tensors.fromFloats(new float[] {1, 2}, 2);
    assertRefused(full.toBuilder().setShape(0, 3));
    assertRefused(full.toBuilder().setShape(0, -2));
    assertRefused(full.toBuilder().setShape(0, 1L << 62).addShape(8));
    assertRefused(full.toBuilder().setData(ByteString.copyFrom(new byte[9])));
    assertRefused(full.toBuilder().setDataType(DataType.DATA_TYPE_UNSPECIFIED));
    assertRefused(full.toBuilder().setDataTypeValue(99));
    assertThatThrownBy(() -> Tensors.fromFloats(new float[2], 3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void assertRefused(Tensor.Builder tensor) {
    assertThatThrownBy(() -> Tensors.toFloats(tensor.build()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Tensor sixteenBit(DataType type, int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putShort((short) value);
    }
    return Tensor.newBuilder()
        .setDataType(type)
        .addShape(values.length)
        .setData(ByteString.copyFrom(bytes.flip()))
        .build();
  }
}
