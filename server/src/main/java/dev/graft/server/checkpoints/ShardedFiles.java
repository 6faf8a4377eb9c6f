package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes a model's weights as transformers does: {@code model.safetensors}, or, where that would be
 * larger than the limit, shards and their index. Reference: {@code
 * split_state_dict_into_shards_factory} of huggingface_hub.
 */
public final class ShardedFiles {
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private final Path directory;
  private final FileOpener files;

  /**
   * @param directory where the files go
   */
  public ShardedFiles(Path directory, FileOpener files) {
    this.directory = directory;
    this.files = files;
  }

  /**
   * Writes the weights.
   *
   * @param tensors in the order in which shards take them
   * @param maxShardBytes most bytes of tensors in a file; a larger tensor has one of its own
   * @param parameters number of values of the model, for the index
   */
  public void write(List<TensorEntry> tensors, long maxShardBytes, long parameters)
      throws IOException {
    List<List<TensorEntry>> shards = split(tensors, maxShardBytes);
    if (shards.size() == 1) {
      write("model.safetensors", shards.get(0));
      return;
    }
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index
        .putObject("metadata")
        .put("total_parameters", parameters)
        .put("total_size", tensors.stream().mapToLong(TensorEntry::bytes).sum());
    ObjectNode places = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String name =
          String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      shards.get(i).forEach(tensor -> places.put(tensor.name(), name));
      write(name, shards.get(i));
    }
    writeText(ShardIndex.FILE_NAME, PythonJson.file(index));
  }

  private static List<List<TensorEntry>> split(List<TensorEntry> tensors, long maxShardBytes) {
    List<List<TensorEntry>> shards = new ArrayList<>();
    List<TensorEntry> current = new ArrayList<>();
    long bytes = 0;
    for (TensorEntry tensor : tensors) {
      if (tensor.bytes() > maxShardBytes) {
        shards.add(List.of(tensor));
        continue;
      }
      if (tensor.bytes() > maxShardBytes - bytes) {
        shards.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(tensor);
      bytes += tensor.bytes();
    }
    if (!current.isEmpty() || shards.isEmpty()) {
      shards.add(current);
    }
    return shards;
  }

  private void write(String name, List<TensorEntry> tensors) throws IOException {
    try (FileChannel channel = files.create(directory.resolve(name))) {
      SafetensorsWriter.writeEntries(tensors, METADATA, channel);
      channel.force(true);
    }
  }

  /** Writes a file of text. */
  public void writeText(String name, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    try (FileChannel channel = files.create(directory.resolve(name))) {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }
}
