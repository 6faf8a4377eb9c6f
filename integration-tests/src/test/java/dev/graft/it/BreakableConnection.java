package dev.graft.it;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** A TCP proxy in front of a worker, which a test can break and slow down as networks do. */
final class BreakableConnection implements AutoCloseable {
  // An HTTP/2 frame: length (3 bytes), type, flags, stream (4 bytes), payload. RFC 9113, 4.1.
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int DATA_FRAME = 0;

  /** Shorter ones are answers of health checks. */
  private static final int BYTES_OF_A_LARGE_MESSAGE = 1024;

  private final ServerSocket listener;
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final AtomicReference<CompletableFuture<Void>> resetInMessage = new AtomicReference<>();
  private final AtomicLong slowedBytes = new AtomicLong();
  private volatile int workerPort;
  private volatile int bytesPerSecond; // to the client; 0: as fast as it goes

  private BreakableConnection(ServerSocket listener, int workerPort) {
    this.listener = listener;
    this.workerPort = workerPort;
  }

  /**
   * @param port the worker's, on this machine
   */
  static BreakableConnection to(int port) {
    try {
      ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
      BreakableConnection connection = new BreakableConnection(listener, port);
      start("proxy-accept", connection::accept, () -> {});
      return connection;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return listener.getLocalPort();
  }

  /** New connections lead to this port from now on. */
  void leadTo(int port) {
    workerPort = port;
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      try {
        Link link = new Link(client, new Socket(InetAddress.getLoopbackAddress(), workerPort));
        links.add(link);
        start("proxy-to-worker", link::pumpToWorker, link::close);
        start("proxy-to-client", link::pumpToClient, link::close);
      } catch (IOException nobodyThere) {
        client.setSoLinger(true, 0);
        client.close();
      }
    }
  }

  private final class Link {
    private final Socket client;
    private final Socket worker;

    Link(Socket client, Socket worker) {
      this.client = client;
      this.worker = worker;
    }

    void pumpToWorker() throws IOException {
      client.getInputStream().transferTo(worker.getOutputStream());
    }

    /** Frame by frame, to know where a message is in its middle. */
    void pumpToClient() throws IOException {
      DataInputStream in = new DataInputStream(worker.getInputStream());
      OutputStream out = client.getOutputStream();
      byte[] frame = new byte[FRAME_HEADER_BYTES];
      while (true) {
        in.readFully(frame, 0, FRAME_HEADER_BYTES);
        int payload = (frame[0] & 0xff) << 16 | (frame[1] & 0xff) << 8 | (frame[2] & 0xff);
        int length = FRAME_HEADER_BYTES + payload;
        if (frame.length < length) {
          frame = Arrays.copyOf(frame, length);
        }
        in.readFully(frame, FRAME_HEADER_BYTES, payload);
        slowDown(length);
        if (frame[3] == DATA_FRAME && payload >= BYTES_OF_A_LARGE_MESSAGE) {
          CompletableFuture<Void> reset = resetInMessage.getAndSet(null);
          if (reset != null) {
            out.write(frame, 0, length / 2);
            reset();
            reset.complete(null);
            return;
          }
        }
        out.write(frame, 0, length);
      }
    }

    /** No end of stream, no goodbye. */
    void reset() throws IOException {
      client.setSoLinger(true, 0); // close() sends RST
      worker.setSoLinger(true, 0);
      close();
    }

    void close() throws IOException {
      links.remove(this);
      client.close();
      worker.close();
    }
  }

  private void slowDown(int bytes) {
    int rate = bytesPerSecond;
    if (rate > 0) {
      slowedBytes.addAndGet(bytes);
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(bytes) / rate);
    }
  }

  /**
   * Resets every connection: no end of stream, no goodbye.
   *
   * @return how many there were
   */
  int cut() {
    return each(Link::reset);
  }

  /**
   * Ends every connection as the worker's side does that closes it: FIN.
   *
   * @return how many there were
   */
  int finish() {
    return each(link -> link.client.shutdownOutput());
  }

  /** Resets a connection in the middle of the next large message to the client. */
  CompletableFuture<Void> resetInMessage() {
    CompletableFuture<Void> reset = new CompletableFuture<>();
    resetInMessage.set(reset);
    return reset;
  }

  /**
   * Limits the rate of what comes from the worker.
   *
   * @param newBytesPerSecond 0: no limit
   */
  void limit(int newBytesPerSecond) {
    bytesPerSecond = newBytesPerSecond;
  }

  /** Bytes that came while there was a limit. */
  long slowedBytes() {
    return slowedBytes.get();
  }

  private interface Breaking {
    void apply(Link link) throws IOException;
  }

  private int each(Breaking breaking) {
    int count = 0;
    for (Link link : links) {
      try {
        breaking.apply(link);
        count++;
      } catch (IOException e) {
        // It had ended already, and leaves the links when its threads notice.
      }
    }
    return count;
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    each(Link::close);
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(String name, Work work, Work end) {
    Thread thread =
        new Thread(
            () -> {
              try {
                try {
                  work.run();
                } finally {
                  end.run();
                }
              } catch (IOException e) {
                // A socket was closed or reset, which is what this class is for.
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }
}
