package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TestDevice;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class UploadTest {
  @Test
  void piecesMakeTheWholeMatrix() {
    int size = 2_000;
    List<float[]> rows =
        IntStream.range(0, 2_500)
            .mapToObj(
                i -> {
                  float[] row = new float[size];
                  row[i % size] = i;
                  return row;
                })
            .toList();
    String text =
        ProgramText.of(Upload.class, "upload.py", Map.of("device", TestDevice.DEVICE.name()));
    try (Program program = Program.assemble(TestDevice.DEVICE, text);
        Scope scope = Scope.open(TestDevice.DEVICE)) {
      Tensor matrix = new Upload(program, scope).matrix(rows, size);
      assertThat(matrix.shape()).containsExactly(2_500, size);
      float[] values = matrix.toFloats();
      for (int i = 0; i < rows.size(); i++) {
        assertThat(values[i * size + i % size]).isEqualTo(i);
        assertThat(values[i * size + (i + 1) % size]).isZero();
      }
    }
  }
}
