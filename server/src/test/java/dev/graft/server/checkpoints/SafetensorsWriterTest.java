package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsWriterTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "linear.safetensors",
        "types.safetensors",
        "types_metadata.safetensors",
        "nothing.safetensors"
      })
  void writesTheBytesThatPythonWrites(String name) {
    byte[] expected = SafetensorsBytes.fixture(name);
    Safetensors<TensorData> read =
        Safetensors.read(ByteBuffer.wrap(expected), GraftExceptions::unexpected);
    List<TensorData> tensors = new ArrayList<>(read.tensors().values());
    Collections.reverse(tensors);

    assertThat(SafetensorsWriter.toBytes(tensors, read.metadata())).isEqualTo(expected);
  }

  @Test
  void metadataIsSortedAndEscaped() {
    byte[] file =
        SafetensorsWriter.toBytes(List.of(), Map.of("b", "2", "a\u001f", "\"é\n", "c", "3"));

    String header =
        new String(file, Long.BYTES, file.length - Long.BYTES, StandardCharsets.UTF_8).strip();
    assertThat(header)
        .isEqualTo("{\"__metadata__\":{\"a\\u001f\":\"\\\"é\\n\",\"b\":\"2\",\"c\":\"3\"}}");
    assertThat(file.length % 8).isZero();
  }

  @Test
  void streamAndFileHoldTheSameBytes() throws IOException {
    List<TensorData> tensors =
        List.of(
            TensorData.floats("a", new float[] {1, 2}, 2), TensorData.floats("s", new float[1]));
    Path file = Files.writeString(directory.resolve("out.safetensors"), "the one before");
    ByteArrayOutputStream stream = new ByteArrayOutputStream();

    SafetensorsWriter.write(tensors, Map.of(), stream);
    SafetensorsWriter.write(tensors, Map.of(), file);

    assertThat(stream.toByteArray()).isEqualTo(SafetensorsWriter.toBytes(tensors, Map.of()));
    assertThat(Files.readAllBytes(file)).isEqualTo(stream.toByteArray());
    try (var left = Files.list(directory)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void aFileThatCannotBeWrittenLeavesNothingBehind() throws IOException {
    Path target = Files.createDirectories(directory.resolve("taken/by")).getParent();

    assertThatThrownBy(() -> SafetensorsWriter.write(List.of(), Map.of(), target))
        .isInstanceOf(IOException.class);

    try (var left = Files.list(directory)) {
      assertThat(left).containsExactly(target);
    }
  }

  @Test
  void namesAreUnique() {
    List<TensorData> twice =
        List.of(TensorData.floats("a", new float[1]), TensorData.floats("a", new float[1], 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SafetensorsWriter.toBytes(twice, Map.of()))
        .withMessageContaining("two tensors are called a");
  }

  @Test
  void shapeMustTakeTheBytes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TensorData.floats("a", new float[3], 2))
        .withMessageContaining("F32[2] does not take 12 bytes");
  }
}
