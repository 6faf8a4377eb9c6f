package dev.graft.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.cli.items.Classes;
import dev.graft.client.Tensors;
import dev.graft.v1.DataType;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WritersTest {
  @TempDir Path directory;

  @Test
  void safetensorsHasTheRowsInTheItemsOrder() throws IOException {
    Path file = directory.resolve("features.safetensors");
    try (ResultWriter writer = FeatureMatrix.safetensors(file)) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 2));
      writer.write(row(1, 3, 4));
      writer.write(row(0, 1, 2));
      writer.finish(2);
    }

    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = (int) bytes.getLong();
    assertThat(headerBytes % 8).isZero();
    assertThat(header(bytes, headerBytes))
        .isEqualTo("{\"features\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}");
    assertThat(floats(bytes)).containsExactly(1, 2, 3, 4);
  }

  @Test
  void safetensorsKeepsBfloat16AsItComes() throws IOException {
    Path file = directory.resolve("features.safetensors");
    Tensor one =
        Tensor.newBuilder()
            .setDataType(DataType.DATA_TYPE_BF16)
            .addShape(1)
            .setData(ByteString.copyFrom(new byte[] {(byte) 0x80, 0x3f}))
            .build();
    try (ResultWriter writer = FeatureMatrix.safetensors(file)) {
      writer.begin(ready(DataType.DATA_TYPE_BF16, 1));
      writer.write(ItemResult.newBuilder().setFeatures(one).build());
      writer.finish(1);
    }

    byte[] bytes = Files.readAllBytes(file);
    assertThat(new String(bytes, StandardCharsets.UTF_8)).contains("\"dtype\":\"BF16\"");
    assertThat(Arrays.copyOfRange(bytes, bytes.length - 2, bytes.length))
        .containsExactly(0x80, 0x3f);
  }

  @Test
  void npyIsWhatNumpyWrites() throws IOException {
    Path file = directory.resolve("features.npy");
    try (ResultWriter writer = FeatureMatrix.npy(file)) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 2));
      writer.write(row(0, 1, 2));
      writer.finish(1);
    }

    byte[] bytes = Files.readAllBytes(file);
    String dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
    String header = dict + " ".repeat(128 - 10 - 1 - dict.length()) + "\n";
    assertThat(Arrays.copyOf(bytes, 10))
        .containsExactly(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0);
    assertThat(new String(bytes, 10, 118, StandardCharsets.US_ASCII)).isEqualTo(header);
    assertThat(floats(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(128)))
        .containsExactly(1, 2);
  }

  @Test
  void tokenFeaturesAreATensorAnItemInTheItemsOrder() throws IOException {
    Path file = directory.resolve("tokens.safetensors");
    ItemNames names = new ItemNames();
    names.put(0, "say \"hi\"");
    try (ResultWriter writer = TokenFeatures.safetensors(file, names)) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 1));
      writer.write(rows(1, 2, 0, 10, 11));
      writer.write(rows(0, 3, 1, 2, 3));
      writer.write(rows(0, 3, 0, 1));
      writer.finish(2);
    }

    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(header(bytes, (int) bytes.getLong()))
        .isEqualTo(
            "{\"say \\\"hi\\\"\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[0,12]},"
                + "\"1\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[12,20]}}");
    assertThat(floats(bytes)).containsExactly(1, 2, 3, 10, 11);
    assertThat(files()).containsExactly("tokens.safetensors");
  }

  @Test
  void jsonLinesAreInTheItemsOrderAndSayWhatWasCut() throws IOException {
    Path file = directory.resolve("features.jsonl");
    ItemNames names = new ItemNames();
    names.put(1, "second");
    try (ResultWriter writer = JsonLines.features(file, names)) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 2));
      writer.write(row(1, 0.1f, -2));
      writer.write(row(0, 1, 2).toBuilder().setTruncatedTokens(5).build());
      writer.finish(2);
    }

    assertThat(Files.readString(file))
        .isEqualTo(
            """
            {"id":"0","features":[1.0,2.0],"truncated_tokens":5}
            {"id":"second","features":[0.1,-2.0]}
            """);
  }

  @Test
  void jsonLinesJoinTheRowsOfAnItem() throws IOException {
    Path file = directory.resolve("features.jsonl");
    try (ResultWriter writer = JsonLines.features(file, new ItemNames())) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 1));
      writer.write(rows(0, 3, 0, 1));
      writer.write(rows(0, 3, 1, 2, 3));
      writer.finish(1);
    }

    assertThat(Files.readString(file))
        .isEqualTo("{\"id\":\"0\",\"features\":[[1.0],[2.0],[3.0]]}\n");
  }

  @Test
  void jsonHasNoPlaceForValuesThatAreNotFinite() throws IOException {
    try (ResultWriter writer =
        JsonLines.features(directory.resolve("features.jsonl"), new ItemNames())) {
      assertThatThrownBy(() -> writer.write(row(0, Float.NaN)))
          .hasMessageContaining("not finite (NaN)");
    }
    assertThat(files()).isEmpty();
  }

  @Test
  void predictionsNameTheBestClass() throws IOException {
    assertThat(
            prediction(
                new PredictionFields.OneClass(new Classes(List.of("a", "b"), false)),
                logits(0.25f, 0.75f)))
        .isEqualTo(
            "{\"id\":\"0\",\"label\":\"b\",\"score\":0.75,\"scores\":{\"a\":0.25,\"b\":0.75}}\n");
    assertThat(
            prediction(
                new PredictionFields.OneClass(new Classes(List.of("0", "1"), true)),
                logits(0.75f, 0.25f)))
        .startsWith("{\"id\":\"0\",\"label\":0,");
    assertThat(
            prediction(
                new PredictionFields.ClassSet(new Classes(List.of("a", "b", "c"), false)),
                logits(0.5f, 0.25f, 1)))
        .isEqualTo(
            "{\"id\":\"0\",\"labels\":[\"a\",\"c\"],\"scores\":{\"a\":0.5,\"b\":0.25,\"c\":1.0}}\n");
    assertThat(prediction(new PredictionFields.Values(), logits(1.5f)))
        .isEqualTo("{\"id\":\"0\",\"values\":[1.5]}\n");
    assertThat(prediction(new PredictionFields.Projection(), logits(1.5f, 2)))
        .isEqualTo("{\"id\":\"0\",\"features\":[1.5,2.0]}\n");
  }

  @Test
  void nothingIsLeftOfAFileThatIsNotWhole() throws IOException {
    Path file = directory.resolve("features.safetensors");
    Files.writeString(file, "earlier");
    try (ResultWriter writer = FeatureMatrix.safetensors(file)) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 1));
      writer.write(row(1, 1));
      assertThatThrownBy(() -> writer.finish(2))
          .hasMessage("the worker answered 1 of 2 items; the first without answer is number 0");
    }
    assertThat(files()).containsExactly("features.safetensors");
    assertThat(Files.readString(file)).isEqualTo("earlier");
  }

  @Test
  void refusesAnswersThatDoNotFit() throws IOException {
    try (ResultWriter writer = FeatureMatrix.npy(directory.resolve("features.npy"))) {
      writer.begin(ready(DataType.DATA_TYPE_F32, 2));
      writer.write(row(0, 1, 2));
      assertThatThrownBy(() -> writer.write(row(0, 1, 2))).hasMessageContaining("twice");
      assertThatThrownBy(() -> writer.write(row(1, 1))).hasMessageContaining("is not 2");
    }
  }

  @Test
  void doesNotMakeDirectories() {
    assertThatThrownBy(() -> PartialFile.at(directory.resolve("none").resolve("file")))
        .hasMessageContaining("its directory does not exist");
  }

  private String prediction(PredictionFields fields, ItemResult result) throws IOException {
    Path file = directory.resolve("predictions.jsonl");
    try (ResultWriter writer = JsonLines.predictions(file, new ItemNames(), fields)) {
      writer.write(result);
      writer.finish(1);
    }
    return Files.readString(file);
  }

  private static ItemResult logits(float... values) {
    return ItemResult.newBuilder()
        .setLogits(Tensors.fromFloats(values, values.length))
        .setProbabilities(Tensors.fromFloats(values, values.length))
        .build();
  }

  private static ExtractReady ready(DataType type, int featureSize) {
    ExtractReady.Builder ready = ExtractReady.newBuilder().setFeatureSize(featureSize);
    ready.getFeaturesBuilder().setOutputDtype(type);
    return ready.build();
  }

  private static ItemResult row(long number, float... values) {
    return ItemResult.newBuilder()
        .setNumber(number)
        .setFeatures(Tensors.fromFloats(values, values.length))
        .setTokens(1)
        .build();
  }

  /** Rows of one value each. */
  private static ItemResult rows(long number, int tokens, int firstRow, float... values) {
    return ItemResult.newBuilder()
        .setNumber(number)
        .setTokens(tokens)
        .setFirstRow(firstRow)
        .setFeatures(Tensors.fromFloats(values, values.length, 1))
        .build();
  }

  private static String header(ByteBuffer bytes, int size) {
    byte[] text = new byte[size];
    bytes.get(text);
    return new String(text, StandardCharsets.UTF_8).stripTrailing();
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
