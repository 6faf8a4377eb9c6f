package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.Gguf;
import dev.graft.server.checkpoints.GgufTensor;
import dev.graft.server.checkpoints.GgufWriter;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;
import dev.graft.server.torch.TorchDevice;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against blocks and values of gguf-py and llama.cpp, bit by bit. */
class GgmlWeightTest {
  private static final TorchDevice CPU = TestDevice.DEVICE;

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "F32")
  void decodesToTheReferencesBits(GgmlType type) throws IOException {
    TensorData blocks = fixture(type + ".random.bytes");
    float[] expected = fixture(type + ".random.values").toFloats();
    long rows = blocks.shape()[0];
    GgufTensor tensor = write(type, blocks.bytes(), rows, expected.length / rows);

    assertBits(decode(tensor, DType.F32), expected);
  }

  @Test
  void decodesLargeMatricesInPieces() throws IOException {
    TensorData blocks = fixture("Q4_K.random.bytes");
    float[] values = fixture("Q4_K.random.values").toFloats();
    int times = 103; // 103 * 10 rows of 256, which are more than one piece and no whole pieces
    ByteBuffer many = ByteBuffer.allocate(times * blocks.bytes().remaining());
    float[] expected = new float[times * values.length];
    for (int i = 0; i < times; i++) {
      many.put(blocks.bytes());
      System.arraycopy(values, 0, expected, i * values.length, values.length);
    }
    GgufTensor tensor = write(GgmlType.Q4_K, many.flip(), times * 10L, 256);

    assertBits(decode(tensor, DType.F32), expected);
  }

  @Test
  void castsToTheTypeOfTheComputation() throws IOException {
    TensorData blocks = fixture("Q8_0.random.bytes");
    float[] expected = fixture("Q8_0.random.values").toFloats();
    for (int i = 0; i < expected.length; i++) {
      expected[i] = roundedToBfloat16(expected[i]);
    }
    GgufTensor tensor = write(GgmlType.Q8_0, blocks.bytes(), blocks.shape()[0], 32);

    assertBits(decode(tensor, DType.BF16), expected);
  }

  @ParameterizedTest
  @EnumSource(GgmlEncoding.class)
  void encodesToTheReferencesBytes(GgmlEncoding encoding) throws IOException {
    float[] source = fixture("source").toFloats();

    ByteBuffer encoded = encoding.encode(source);

    assertThat(encoded).isEqualTo(fixture(encoding + ".quantized.ggml").bytes());
  }

  @Test
  void turnsInterleavedHeadsRound() throws IOException {
    // Two heads of 4 rows of one value: in the file, 0 and 2, 1 and 3 of each stand together.
    float[] stored = {0, 2, 1, 3, 4, 6, 5, 7};
    ByteBuffer bytes = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(stored);
    GgufTensor written = write(GgmlType.F32, bytes, 8, 1);
    GgufTensor tensor = new GgufTensor(written.entry(), written.type(), 2);

    assertThat(decode(tensor, DType.F32)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
  }

  @Test
  void refusesAnotherShape() throws IOException {
    TensorData blocks = fixture("Q8_0.random.bytes");
    GgufTensor tensor = write(GgmlType.Q8_0, blocks.bytes(), blocks.shape()[0], 32);

    assertThatThrownBy(() -> GgmlWeight.of(tensor, 32, 10))
        .isInstanceOf(GraftException.class)
        .hasMessageContaining("tensor weight has shape [10, 32] where [32, 10] is asked for");
  }

  private GgufTensor write(GgmlType type, ByteBuffer bytes, long rows, long columns)
      throws IOException {
    Path file = directory.resolve(type + ".gguf");
    // Something before it, so that offsets matter.
    List<GgufWriter.Tensor> tensors =
        List.of(
            new GgufWriter.Tensor("other", GgmlType.F16, List.of(1L)),
            new GgufWriter.Tensor("weight", type, List.of(rows, columns)));
    try (GgufWriter writer =
        GgufWriter.create(file, Map.of("general.architecture", "none"), tensors)) {
      writer.write("other", 0, ByteBuffer.allocate(2));
      writer.write("weight", 0, bytes);
      writer.finish();
    }
    return Gguf.open(file).tensors().get("weight");
  }

  private static float[] decode(GgufTensor tensor, DType dtype) {
    try (Scope scope = Scope.open(CPU);
        Tensors tensors = Tensors.on(CPU)) {
      TensorFiles files = new TensorFiles(scope, tensors);
      return tensors
          .cast(scope, GgmlWeight.of(tensor, tensor.shape()).decode(scope, files, dtype), DType.F32)
          .toFloats();
    }
  }

  private static void assertBits(float[] actual, float[] expected) {
    assertThat(bits(actual)).isEqualTo(bits(expected));
  }

  private static List<Integer> bits(float[] values) {
    List<Integer> bits = new ArrayList<>();
    for (float value : values) {
      bits.add(Float.floatToIntBits(value));
    }
    return bits;
  }

  private static float roundedToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
  }

  private static TensorData fixture(String name) throws IOException {
    try (InputStream in = GgmlWeightTest.class.getResourceAsStream("/gguf/blocks.safetensors")) {
      return Safetensors.read(
              ByteBuffer.wrap(in.readAllBytes()),
              problem -> GraftException.invalidArgument("FIXTURE", problem))
          .tensors()
          .get(name);
    }
  }
}
