package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.PythonJson;
import dev.graft.server.checkpoints.ShardedFiles;
import dev.graft.server.checkpoints.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The files of a result, in the directory where it grows. */
final class ResultFiles {
  private final Path directory;
  private final FileOpener files;

  ResultFiles(Path directory, FileOpener files) {
    this.directory = directory;
    this.files = files;
  }

  /** Writes weights and configuration as transformers does, and what the source has beside them. */
  void write(
      List<TensorEntry> tensors,
      long parameters,
      long maxShardBytes,
      ObjectNode configuration,
      Map<String, Path> sideFiles,
      Optional<String> tokenizer)
      throws IOException {
    ShardedFiles output = new ShardedFiles(directory, files);
    output.write(tensors, maxShardBytes, parameters);
    output.writeText("config.json", PythonJson.file(configuration));
    if (tokenizer.isPresent()) {
      output.writeText("tokenizer.json", tokenizer.get());
    }
    for (Map.Entry<String, Path> file : sideFiles.entrySet()) {
      copy(file.getValue(), directory.resolve(file.getKey()));
    }
  }

  private void copy(Path from, Path to) throws IOException {
    try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
        FileChannel target = files.create(to)) {
      long size = source.size();
      for (long done = 0; done < size; ) {
        done += source.transferTo(done, size - done, target);
      }
      target.force(true);
    }
  }

  /** Hands all files over, in parts. */
  void handOver(QuantizeJob.Listener listener, int chunkBytes)
      throws IOException, InterruptedException {
    List<Path> all;
    try (Stream<Path> paths = Files.list(directory)) {
      all = paths.sorted().toList();
    }
    ByteBuffer chunk = ByteBuffer.allocateDirect(chunkBytes);
    for (Path file : all) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        handOver(String.valueOf(file.getFileName()), channel, chunk, listener);
      }
    }
  }

  /** An empty file has one part, which is empty. */
  private static void handOver(
      String name, FileChannel channel, ByteBuffer chunk, QuantizeJob.Listener listener)
      throws IOException, InterruptedException {
    long size = channel.size();
    long offset = 0;
    do {
      listener.awaitRoom();
      chunk.clear().limit((int) Math.min(chunk.capacity(), size - offset));
      while (chunk.hasRemaining()) {
        if (channel.read(chunk, offset + chunk.position()) < 0) {
          throw new IOException(name + " was cut while it was in use");
        }
      }
      listener.onFile(name, offset, size, chunk.flip());
      offset += chunk.limit();
    } while (offset < size);
  }
}
