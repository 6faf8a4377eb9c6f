package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.FileChunk;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Cuts files into chunks that fit into messages. */
final class FileChunks {
  private FileChunks() {}

  /** The chunks of a file in order; none for an empty file. Nothing is copied. */
  static Stream<FileChunk> cut(ByteString file, int chunkBytes) {
    long chunks = (file.size() + (long) chunkBytes - 1) / chunkBytes;
    return LongStream.range(0, chunks)
        .mapToObj(
            index -> {
              int begin = Math.toIntExact(index * chunkBytes);
              int end = (int) Math.min((long) begin + chunkBytes, file.size());
              return FileChunk.newBuilder()
                  .setOffset(begin)
                  .setTotalBytes(file.size())
                  .setData(file.substring(begin, end))
                  .build();
            });
  }
}
