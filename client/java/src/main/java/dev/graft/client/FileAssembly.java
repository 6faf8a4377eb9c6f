package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.FileChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Puts one file together from its chunks, in order and without gaps. */
final class FileAssembly {
  private final String name;
  private final long maxBytes;
  private final List<ByteString> parts = new ArrayList<>();
  private long receivedBytes;
  private long totalBytes = -1;

  /**
   * Makes an empty file.
   *
   * @param name what the file is, for messages
   * @param maxBytes largest file that is accepted
   */
  FileAssembly(String name, long maxBytes) {
    this.name = name;
    this.maxBytes = maxBytes;
  }

  /** Adds a chunk; the file, if this was its last one. */
  Optional<ByteString> add(FileChunk chunk) throws ContractBreach {
    if (totalBytes < 0) {
      start(chunk.getTotalBytes());
    }
    if (chunk.getTotalBytes() != totalBytes) {
      throw broken(
          "said to have %d bytes, then %s"
              .formatted(totalBytes, Long.toUnsignedString(chunk.getTotalBytes())));
    }
    if (chunk.getOffset() != receivedBytes) {
      throw broken(
          "continued at byte %s after byte %d"
              .formatted(Long.toUnsignedString(chunk.getOffset()), receivedBytes));
    }
    if (chunk.getData().size() > totalBytes - receivedBytes) {
      throw broken("longer than the %d bytes it was said to have".formatted(totalBytes));
    }
    if (chunk.getData().isEmpty() && totalBytes > 0) {
      throw broken("sent with an empty chunk at byte %d".formatted(receivedBytes));
    }
    parts.add(chunk.getData());
    receivedBytes += chunk.getData().size();
    return receivedBytes == totalBytes ? Optional.of(ByteString.copyFrom(parts)) : Optional.empty();
  }

  private void start(long announcedBytes) throws ContractBreach {
    if (Long.compareUnsigned(announcedBytes, maxBytes) > 0) {
      throw broken(
          "said to have %s bytes, but this client takes at most %d (maxAssembledBytes)"
              .formatted(Long.toUnsignedString(announcedBytes), maxBytes));
    }
    totalBytes = announcedBytes;
  }

  private ContractBreach broken(String problem) {
    return new ContractBreach(name + " was " + problem);
  }
}
