package dev.graft.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A TCP proxy in front of a worker, which a test can cut as a failing network does. */
final class BreakableConnection implements AutoCloseable {
  private final ServerSocket listener;
  private final int target;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  private BreakableConnection(ServerSocket listener, int target) {
    this.listener = listener;
    this.target = target;
  }

  /**
   * @param port the worker's, on this machine
   */
  static BreakableConnection to(int port) {
    try {
      ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
      BreakableConnection connection = new BreakableConnection(listener, port);
      start("proxy-accept", connection::accept);
      return connection;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return listener.getLocalPort();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      Socket worker = new Socket(InetAddress.getLoopbackAddress(), target);
      sockets.add(client);
      sockets.add(worker);
      start("proxy-to-worker", () -> pump(client, worker));
      start("proxy-to-client", () -> pump(worker, client));
    }
  }

  private static void pump(Socket from, Socket to) throws IOException {
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      in.transferTo(out);
    }
  }

  /** Resets every connection: no end of stream, no goodbye. */
  void cut() {
    try {
      for (Socket socket : sockets) {
        socket.setSoLinger(true, 0); // close() sends RST
      }
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // A socket was closed or reset, which is what this class is for.
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }
}
