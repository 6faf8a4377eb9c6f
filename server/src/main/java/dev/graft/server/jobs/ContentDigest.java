package dev.graft.server.jobs;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/**
 * Tells what items are made of, so that a checkpoint goes on only with the data that it began with.
 */
final class ContentDigest {
  private final byte[] context;

  /**
   * @param context what else decides the features: backbone and specification
   */
  ContentDigest(String context) {
    this.context = context.getBytes(StandardCharsets.UTF_8);
  }

  byte[] of(TrainItem item) {
    MessageDigest digest = sha256();
    digest.update(context);
    update(digest, item.content());
    item.pair().ifPresent(pair -> update(digest, pair));
    return digest.digest();
  }

  private static void update(MessageDigest digest, Content content) {
    if (content instanceof Content.Text text) {
      update(digest, 0, ByteBuffer.wrap(text.text().getBytes(StandardCharsets.UTF_8)));
    } else if (content instanceof Content.TokenIds tokens) {
      update(digest, 1, ints(tokens.ids()));
      Optional.ofNullable(tokens.typeIds()).ifPresent(types -> update(digest, 2, ints(types)));
    } else if (content instanceof Content.Features features) {
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * features.values().length);
      bytes.asFloatBuffer().put(features.values());
      update(digest, 3, bytes);
    }
  }

  private static ByteBuffer ints(int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * values.length);
    bytes.asIntBuffer().put(values);
    return bytes;
  }

  private static void update(MessageDigest digest, int kind, ByteBuffer bytes) {
    digest.update(ByteBuffer.allocate(8).putInt(kind).putInt(bytes.remaining()).flip());
    digest.update(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java has SHA-256.", e);
    }
  }
}
