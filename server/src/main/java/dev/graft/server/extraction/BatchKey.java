package dev.graft.server.extraction;

import dev.graft.server.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/** Names a batch's features by everything that decides their bytes. */
final class BatchKey {
  private BatchKey() {}

  /**
   * What is common to the batches of a stream.
   *
   * @param parts digest of the backbone, texts of the programs, device, and so on
   */
  static byte[] prefix(FeatureSpec spec, List<String> parts) {
    MessageDigest digest = Sha256.start();
    put(digest, spec.pooling().name());
    put(digest, spec.computeDtype().name());
    digest.update(
        ByteBuffer.allocate(8).putInt(spec.layer()).putInt(spec.normalize() ? 1 : 0).flip());
    parts.forEach(part -> put(digest, part));
    return digest.digest();
  }

  static String of(byte[] prefix, List<TokenizedItem> batch) {
    MessageDigest digest = Sha256.start();
    digest.update(prefix);
    for (TokenizedItem item : batch) {
      put(digest, item.ids());
      put(digest, item.typeIds() == null ? new int[0] : item.typeIds());
    }
    return Sha256.hex(digest);
  }

  private static void put(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  private static void put(MessageDigest digest, int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * values.length).putInt(values.length);
    bytes.asIntBuffer().put(values);
    digest.update(bytes.rewind());
  }
}
