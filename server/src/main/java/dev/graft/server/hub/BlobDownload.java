package dev.graft.server.hub;

import dev.graft.server.GraftException;
import dev.graft.server.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * Fetches the content of one file to its blob, going on where an earlier try, or an earlier
 * process, was cut. The blob gets its name when all of it is there and its digest is right.
 */
final class BlobDownload implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final HubApi api;
  private final HubReference reference;
  private final String commit;
  private final RepositoryFile file;
  private final LongConsumer listener;
  private final Path incomplete;
  private final FileChannel channel;

  /** Of what the file has so far. */
  private MessageDigest digest;

  /** What the file has so far. */
  private long offset;

  /**
   * Opens what is there.
   *
   * @param listener is told how many bytes are there
   */
  private BlobDownload(
      HubApi api,
      HubReference reference,
      String commit,
      RepositoryFile file,
      Path incomplete,
      LongConsumer listener)
      throws IOException {
    this.api = api;
    this.reference = reference;
    this.commit = commit;
    this.file = file;
    this.listener = listener;
    this.incomplete = incomplete;
    Files.createDirectories(incomplete.getParent());
    this.channel =
        FileChannel.open(
            incomplete,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try {
      takeUp();
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  /** Fetches a file, unless it is there. */
  @SuppressWarnings("try") // the lock is held, not used
  static void fetch(
      HubApi api,
      HubReference reference,
      String commit,
      RepositoryFile file,
      RepositoryCache cache,
      Retries retries,
      LongConsumer listener)
      throws IOException, InterruptedException {
    if (cache.hasBlob(file)) {
      return;
    }
    try (BlobLock lock = BlobLock.acquire(cache.lock(file))) {
      if (cache.hasBlob(file)) { // by the one who was waited for
        return;
      }
      try (BlobDownload download =
          new BlobDownload(api, reference, commit, file, cache.incomplete(file), listener)) {
        download.run(retries, cache.blob(file));
      }
    }
  }

  private void run(Retries retries, Path blob) throws IOException {
    boolean resumed = offset > 0;
    complete(retries);
    if (resumed && !isRight()) { // what was there before may be of something else
      restart();
      complete(retries);
    }
    if (!isRight()) {
      throw discarding(
          "has not the digest " + file.etag() + " that the hub lists: it was changed on its way");
    }
    channel.force(true);
    Files.move(
        incomplete, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private void complete(Retries retries) throws IOException {
    requireSpace();
    try {
      retries.run(
          () -> {
            if (offset < file.bytes()) {
              fetchRest();
            }
            return offset;
          },
          () -> offset);
    } catch (UnwritableFile e) {
      throw e.cause();
    }
  }

  private void requireSpace() throws IOException {
    long free = Files.getFileStore(incomplete).getUsableSpace();
    if (free < file.bytes() - offset) {
      throw new IOException(
          "%s has %d bytes to come, and %d are free"
              .formatted(file.name(), file.bytes() - offset, free));
    }
  }

  private void fetchRest() throws PassingFailure, InterruptedException {
    try (HubResponse response = api.file(reference, commit, file, offset)) {
      if (response.status() == 416 || (response.status() == 206 && !isRest(response))) {
        restart();
        throw broken("answers with another part of the file than asked for");
      }
      if (response.status() == 200) {
        restart(); // the range was ignored
      }
      OptionalLong length = response.contentLength();
      if (length.isPresent() && offset + length.getAsLong() != file.bytes()) {
        throw discarding(
            "has %d bytes in the hub's answer and %d in its list of files"
                .formatted(offset + length.getAsLong(), file.bytes()));
      }
      store(response.body());
    } catch (IOException e) {
      throw api.passing(e);
    }
    if (offset < file.bytes()) {
      throw broken("ended after %d of %d bytes".formatted(offset, file.bytes()));
    }
  }

  private boolean isRest(HubResponse response) {
    return response.isPart(offset, file.bytes());
  }

  private void store(TimedBody body) throws IOException, InterruptedException {
    for (List<ByteBuffer> part = body.next(); !part.isEmpty(); part = body.next()) {
      for (ByteBuffer buffer : part) {
        if (buffer.remaining() > file.bytes() - offset) {
          throw discarding("has more than the %d bytes that the hub lists".formatted(file.bytes()));
        }
        append(buffer);
      }
      listener.accept(offset);
    }
  }

  private void append(ByteBuffer buffer) {
    digest.update(buffer.duplicate());
    try {
      while (buffer.hasRemaining()) {
        offset += channel.write(buffer, offset);
      }
    } catch (IOException e) {
      throw new UnwritableFile(e);
    }
  }

  /** Goes on with what is in the file, if that can be a beginning. */
  private void takeUp() throws IOException {
    digest = newDigest();
    if (channel.size() > file.bytes()) {
      channel.truncate(0);
    }
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    while (channel.read(buffer, offset) > 0) {
      offset += buffer.position();
      digest.update(buffer.flip());
      buffer.clear();
    }
    listener.accept(offset);
  }

  private void restart() {
    try {
      channel.truncate(0);
    } catch (IOException e) {
      throw new UnwritableFile(e);
    }
    offset = 0;
    digest = newDigest();
  }

  private boolean isRight() {
    try {
      MessageDigest soFar = (MessageDigest) digest.clone();
      return HexFormat.of().formatHex(soFar.digest()).equals(file.etag());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e); // the JDK's digests can
    }
  }

  /** SHA-256 of the content, or git's SHA-1, which begins with a header. */
  private MessageDigest newDigest() {
    try {
      if (file.etag().length() == 64) {
        return Sha256.start();
      }
      MessageDigest git = MessageDigest.getInstance("SHA-1");
      git.update(("blob " + file.bytes() + "\0").getBytes(StandardCharsets.US_ASCII));
      return git;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has both
    }
  }

  private PassingFailure broken(String problem) {
    return new PassingFailure(
        HubErrors.unavailable("the hub's %s %s".formatted(file.name(), problem)), Optional.empty());
  }

  /** What is there is wrong, and no try could complete it. */
  private GraftException discarding(String problem) {
    GraftException error = HubErrors.corrupt(reference, file.name(), problem);
    try {
      Files.deleteIfExists(incomplete);
    } catch (IOException e) {
      error.addSuppressed(e);
    }
    return error;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Carries a failure of the cache's disk past the retries of the network's. */
  private static final class UnwritableFile extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final IOException cause;

    UnwritableFile(IOException cause) {
      super(cause);
      this.cause = cause;
    }

    IOException cause() {
      return cause;
    }
  }
}
