package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * SHA-256 of a checkpoint. Each tensor's bytes are hashed by themselves, so that several are hashed
 * at once; the digest is over the configuration and, tensor by tensor, header and hash. How the
 * tensors are spread over files makes no difference.
 */
final class CheckpointDigest {
  private static final int BUFFER_BYTES = 1 << 16;

  private CheckpointDigest() {}

  /** The digest of tensors that come in the order of their names. */
  static String of(JsonNode configuration, Collection<TensorEntry> tensors) {
    List<byte[]> hashes =
        tensors.stream().toList().parallelStream().map(CheckpointDigest::hash).toList();
    MessageDigest digest = Sha256.start();
    update(digest, configuration.toString());
    int next = 0;
    for (TensorEntry tensor : tensors) {
      update(digest, tensor.name());
      update(digest, tensor.type() + Arrays.toString(tensor.shape()) + tensor.transposed());
      digest.update(hashes.get(next++));
    }
    return Sha256.hex(digest);
  }

  private static byte[] hash(TensorEntry tensor) {
    MessageDigest digest = Sha256.start();
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, tensor.bytes()));
    try (FileChannel channel = FileChannel.open(tensor.file(), StandardOpenOption.READ)) {
      long done = 0;
      while (done < tensor.bytes()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), tensor.bytes() - done));
        tensor.read(channel, done, buffer);
        done += buffer.position();
        digest.update(buffer.flip());
      }
    } catch (IOException e) {
      throw Corruption.unreadable(tensor.file(), e);
    }
    return digest.digest();
  }

  /** Length first, so that no two sequences of texts give the same bytes. */
  private static void update(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
    digest.update(bytes);
  }
}
