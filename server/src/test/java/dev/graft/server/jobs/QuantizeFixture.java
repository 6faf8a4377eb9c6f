package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.checkpoints.WritableRoots;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What tests of the Quantize job have in common. */
final class QuantizeFixture {
  private QuantizeFixture() {}

  /** Keeps what comes. */
  static class Recording implements QuantizeJob.Listener {
    final List<QuantizeJob.TensorReport> reports = new ArrayList<>();
    final Map<String, ByteBuffer> files = new LinkedHashMap<>();

    @Override
    public void onTensor(QuantizeJob.TensorReport report) {
      reports.add(report);
    }

    @Override
    public void onFile(String name, long offset, long fileBytes, ByteBuffer data) {
      ByteBuffer file = files.computeIfAbsent(name, key -> ByteBuffer.allocate((int) fileBytes));
      assertThat(file.position()).isEqualTo(offset);
      file.put(data);
    }

    @Override
    public void awaitRoom() throws InterruptedException {}
  }

  /** A job on a CPU with parts of 1,000 bytes. */
  static QuantizeJob job(Lanes lanes, Path sources, Path output, FileOpener files) {
    return new QuantizeJob(
        TestDevice.DEVICE,
        lanes,
        BackbonePlaces.of(ModelRoots.of(List.of(sources))),
        WritableRoots.of(List.of(output)),
        1000,
        files);
  }

  /** Names in a directory, in order. */
  static List<String> left(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  /** Removes a directory of files. */
  static void delete(Path directory) throws IOException {
    for (String name : left(directory)) {
      Files.delete(directory.resolve(name));
    }
    Files.delete(directory);
  }
}
