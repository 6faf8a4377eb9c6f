package dev.graft.client;

import dev.graft.v1.FileChunk;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizedFile;
import dev.graft.v1.QuantizedTensor;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Events of a Quantize call: tensors by number, then whole files, then the result. */
final class QuantizeDecoder implements ResponseDecoder<QuantizeResponse, QuantizeEvent> {
  private final Set<String> wholeFiles = new HashSet<>();
  private long tensors;
  private long totalTensors = -1;
  private String file; // that is under way, or null
  private long fileBytes;
  private long receivedBytes;
  private boolean completed;

  @Override
  public void decode(QuantizeResponse response, Consumer<? super QuantizeEvent> events)
      throws ContractBreach {
    if (completed) {
      throw new ContractBreach("the worker sent more after the result");
    }
    switch (response.getMessageCase()) {
      case TENSOR -> {
        check(response.getTensor());
        events.accept(new QuantizeEvent.TensorDone(response.getTensor()));
      }
      case FILE -> {
        check(response.getFile());
        events.accept(new QuantizeEvent.FilePart(response.getFile()));
      }
      case RESULT -> {
        if (file != null || tensors != Math.max(totalTensors, 0)) {
          throw new ContractBreach("the worker sent the result before all that it is about");
        }
        completed = true;
        events.accept(new QuantizeEvent.Completed(response.getResult()));
      }
      case MESSAGE_NOT_SET -> throw new ContractBreach("the worker sent an empty message");
    }
  }

  private void check(QuantizedTensor tensor) throws ContractBreach {
    boolean first = totalTensors < 0;
    if (tensor.getIndex() != tensors || !(first || tensor.getTotal() == totalTensors)) {
      throw new ContractBreach(
          "the worker sent tensor %s of %s where number %d was next"
              .formatted(
                  Long.toUnsignedString(tensor.getIndex()),
                  Long.toUnsignedString(tensor.getTotal()),
                  tensors));
    }
    totalTensors = tensor.getTotal();
    tensors++;
  }

  private void check(QuantizedFile part) throws ContractBreach {
    FileChunk chunk = part.getChunk();
    if (file == null) {
      requireFileName(part.getName());
      file = part.getName();
      fileBytes = chunk.getTotalBytes();
      receivedBytes = 0;
    }
    boolean fits = chunk.getData().size() <= fileBytes - receivedBytes;
    if (!part.getName().equals(file)
        || chunk.getTotalBytes() != fileBytes
        || chunk.getOffset() != receivedBytes
        || !fits
        || (chunk.getData().isEmpty() && fileBytes > 0)) {
      throw new ContractBreach(
          "the worker sent byte %s of %s where byte %d of %s (%d bytes) was next"
              .formatted(
                  Long.toUnsignedString(chunk.getOffset()),
                  part.getName(),
                  receivedBytes,
                  file,
                  fileBytes));
    }
    receivedBytes += chunk.getData().size();
    if (receivedBytes == fileBytes) {
      wholeFiles.add(file);
      file = null;
    }
  }

  /** So that whoever writes it under this name writes where they meant to. */
  private void requireFileName(String name) throws ContractBreach {
    if (!name.matches("[^/\\\\\\x00]+") || name.equals(".") || name.equals("..")) {
      throw new ContractBreach("the worker sent a file with a name that is none: " + name);
    }
    if (wholeFiles.contains(name)) {
      throw new ContractBreach("the worker sent the file " + name + " twice");
    }
  }

  @Override
  public void finish() throws ContractBreach {
    if (!completed) {
      throw new ContractBreach("the worker closed the stream before it sent the result");
    }
  }

  @Override
  public Optional<TrainEvent.CheckpointSaved> lastCheckpoint() {
    return Optional.empty();
  }
}
