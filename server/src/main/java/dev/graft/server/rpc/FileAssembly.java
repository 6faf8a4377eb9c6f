package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.v1.FileChunk;
import java.io.ByteArrayOutputStream;

/** Puts an uploaded file together. */
final class FileAssembly {
  private final String field;
  private final long totalBytes;
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();

  /**
   * @param field the message that carries the file, for errors
   * @param totalBytes size that the spec announced
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
    if (chunk.getOffset() != received.size() || chunk.getTotalBytes() != totalBytes) {
      throw wrong(
          "has offset "
              + chunk.getOffset()
              + " of "
              + chunk.getTotalBytes()
              + " bytes where offset "
              + received.size()
              + " of "
              + totalBytes
              + " comes next");
    }
    if (chunk.getData().size() > totalBytes - received.size()) {
      throw wrong("runs over the announced " + totalBytes + " bytes");
    }
    byte[] data = chunk.getData().toByteArray();
    received.write(data, 0, data.length);
  }

  private GraftException wrong(String problem) {
    return GraftException.invalidArgument("PROTOCOL", "A chunk of " + field + " " + problem + ".")
        .with("field", field);
  }

  boolean complete() {
    return received.size() == totalBytes;
  }

  byte[] bytes() {
    return received.toByteArray();
  }
}
