package dev.graft.client;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/** What lies between client and worker; every scenario runs over each. */
enum Transport {
  IN_PROCESS {
    @Override
    Connection connect(List<BindableService> services) {
      String name = InProcessServerBuilder.generateName();
      Server server = start(InProcessServerBuilder.forName(name), services);
      ManagedChannel channel = InProcessChannelBuilder.forName(name).build();
      return new Connection(
          GraftClient.builder(channel),
          () -> {
            channel.shutdownNow();
            server.shutdownNow();
          });
    }
  },
  NETTY {
    @Override
    Connection connect(List<BindableService> services) {
      InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      // A fixed window: left to itself it grows with the speed of the connection.
      Server server =
          start(NettyServerBuilder.forAddress(anyPort).flowControlWindow(1 << 20), services);
      return new Connection(
          GraftClient.builder("localhost:" + server.getPort()), server::shutdownNow);
    }
  };

  /** A way to a running worker. */
  record Connection(GraftClient.Builder client, Runnable stop) {}

  abstract Connection connect(List<BindableService> services);

  private static Server start(ServerBuilder<?> builder, List<BindableService> services) {
    services.forEach(builder::addService);
    try {
      return builder.build().start();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
