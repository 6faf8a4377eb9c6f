package dev.graft.server.rpc;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** A worker that listens on a socket. */
public final class Worker implements AutoCloseable {
  private static final long CLOSE_SECONDS = 5;

  /**
   * Largest message that the transport lets pass, in largest messages: it resets the call without a
   * word where the services tell what is wrong.
   */
  private static final int TRANSPORT_MESSAGES = 4;

  /** How long the last messages of drained calls, checkpoints among them, may take to get out. */
  private static final long FLUSH_SECONDS = 10;

  private final WorkerServices services;
  private final Server server;

  private Worker(WorkerServices services, Server server) {
    this.services = services;
    this.server = server;
  }

  /**
   * Starts a worker and returns when it serves.
   *
   * @throws IOException if it cannot listen there
   */
  public static Worker start(WorkerOptions options) throws IOException {
    WorkerServices services = new WorkerServices(options);
    try {
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(new InetSocketAddress(options.host(), options.port()))
              .maxInboundMessageSize(TRANSPORT_MESSAGES * options.maxMessageBytes())
              // A client that vanished without a word is found out, and its calls end.
              .keepAliveTime(1, TimeUnit.MINUTES)
              .permitKeepAliveTime(10, TimeUnit.SECONDS)
              .permitKeepAliveWithoutCalls(true);
      services.services().forEach(builder::addService);
      Server server = builder.build().start();
      services.serve();
      return new Worker(services, server);
    } catch (IOException | RuntimeException | Error e) {
      services.close();
      throw e;
    }
  }

  /** Port on which it listens. */
  public int port() {
    return server.getPort();
  }

  /** What jobs share; for work without transport. */
  public WorkerServices services() {
    return services;
  }

  /** Lets the calls under way end as {@link WorkerServices#drain} says, and stops. */
  public void drain() throws InterruptedException {
    services.drain();
    server.shutdown();
    server.awaitTermination(FLUSH_SECONDS, TimeUnit.SECONDS);
    close();
  }

  /** Waits until the worker has stopped. */
  public void await() throws InterruptedException {
    server.awaitTermination();
  }

  /** Stops at once; calls under way are cut. */
  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    services.close();
  }
}
