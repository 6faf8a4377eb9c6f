package dev.graft.it;

import dev.graft.client.GraftClient;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.rpc.WorkerServices;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;

/** A worker on some transport, and a channel to it. */
interface WorkerUnderTest extends AutoCloseable {
  /** Where it computes: {@code -Dgraft.test.device}. */
  String DEVICE = System.getProperty("graft.test.device", "cpu");

  ManagedChannel channel();

  /** As on SIGTERM. */
  void drain() throws InterruptedException;

  @Override
  void close();

  default GraftClient client() {
    return GraftClient.builder(channel()).build();
  }

  static WorkerUnderTest overSockets(WorkerOptions options) {
    try {
      Worker worker = Worker.start(options.device(DEVICE).listen("127.0.0.1", 0));
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", worker.port()).usePlaintext().build();
      return new WorkerUnderTest() {
        @Override
        public ManagedChannel channel() {
          return channel;
        }

        @Override
        public void drain() throws InterruptedException {
          worker.drain();
        }

        @Override
        public void close() {
          channel.shutdownNow();
          worker.close();
        }
      };
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static WorkerUnderTest inProcess(WorkerOptions options) {
    WorkerServices services = new WorkerServices(options.device(DEVICE));
    String name = InProcessServerBuilder.generateName();
    InProcessServerBuilder builder =
        InProcessServerBuilder.forName(name).maxInboundMessageSize(options.maxMessageBytes());
    services.services().forEach(builder::addService);
    Server server;
    try {
      server = builder.build().start();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    services.serve();
    ManagedChannel channel = InProcessChannelBuilder.forName(name).build();
    return new WorkerUnderTest() {
      @Override
      public ManagedChannel channel() {
        return channel;
      }

      @Override
      public void drain() throws InterruptedException {
        services.drain();
      }

      @Override
      public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        services.close();
      }
    };
  }
}
