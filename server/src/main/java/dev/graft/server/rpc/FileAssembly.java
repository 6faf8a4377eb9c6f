package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.v1.FileChunk;
import java.util.Arrays;

/** Puts an uploaded file together. */
final class FileAssembly {
  private final String field;
  private final long totalBytes;

  /** Grows with what arrives: announcing a large file costs nothing. Exact in the end. */
  private byte[] received = {};

  private int size;

  /**
   * @param field the message that carries the file, for errors
   * @param totalBytes size that the spec announced
   * @param maxFileBytes below 2 GiB
   */
  FileAssembly(String field, long totalBytes, long maxFileBytes) {
    if (totalBytes < 0 || totalBytes > maxFileBytes) {
      throw GraftException.of(
              GraftException.Category.RESOURCE_EXHAUSTED,
              "FILE_TOO_LARGE",
              field
                  + " is announced with "
                  + Long.toUnsignedString(totalBytes)
                  + " bytes; this worker takes at most "
                  + maxFileBytes
                  + ".")
          .with("field", field);
    }
    this.field = field;
    this.totalBytes = totalBytes;
  }

  void add(FileChunk chunk) {
    if (chunk.getOffset() != size || chunk.getTotalBytes() != totalBytes) {
      throw wrong(
          "has offset "
              + Long.toUnsignedString(chunk.getOffset())
              + " of "
              + Long.toUnsignedString(chunk.getTotalBytes())
              + " bytes where offset "
              + size
              + " of "
              + totalBytes
              + " comes next");
    }
    if (chunk.getData().size() > totalBytes - size) {
      throw wrong("runs over the announced " + totalBytes + " bytes");
    }
    int needed = size + chunk.getData().size();
    if (needed > received.length) {
      long roomy = Math.max(needed, 2L * received.length);
      received = Arrays.copyOf(received, (int) Math.min(totalBytes, roomy));
    }
    chunk.getData().copyTo(received, size);
    size = needed;
  }

  private GraftException wrong(String problem) {
    return GraftException.invalidArgument("PROTOCOL", "A chunk of " + field + " " + problem + ".")
        .with("field", field);
  }

  boolean complete() {
    return size == totalBytes;
  }

  /** The complete file, which is not copied. */
  byte[] bytes() {
    return received;
  }
}
