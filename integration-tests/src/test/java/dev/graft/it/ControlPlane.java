package dev.graft.it;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpc.xds.shaded.com.github.xds.type.v3.TypedStruct;
import io.grpc.xds.shaded.io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.grpc.xds.shaded.io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.grpc.xds.shaded.io.envoyproxy.envoy.config.listener.v3.Listener;
import io.grpc.xds.shaded.io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.grpc.xds.shaded.io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.grpc.xds.shaded.io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.grpc.xds.shaded.io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.grpc.xds.shaded.io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.grpc.xds.shaded.io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** An xDS control plane: tells its clients of all resources of the types that they ask for. */
final class ControlPlane implements AutoCloseable {
  private static final TypeRegistry TYPES =
      TypeRegistry.newBuilder()
          .add(Listener.getDescriptor())
          .add(HttpConnectionManager.getDescriptor())
          .add(Router.getDescriptor())
          .add(RouteConfiguration.getDescriptor())
          .add(Cluster.getDescriptor())
          .add(TypedStruct.getDescriptor())
          .add(ClusterLoadAssignment.getDescriptor())
          .build();

  private final Server server;

  // Guarded by this.
  private final Set<Client> clients = new HashSet<>();
  private final List<String> refusals = new ArrayList<>();
  private Map<String, List<Any>> resources = Map.of(); // by type
  private int version;

  private ControlPlane() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Discovery())
            .build()
            .start();
  }

  static ControlPlane start() throws IOException {
    return new ControlPlane();
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  /** Tells all clients of these resources, and of no other any more. */
  synchronized void tell(String... json) throws InvalidProtocolBufferException {
    Map<String, List<Any>> told = new HashMap<>();
    for (String each : json) {
      Any.Builder resource = Any.newBuilder();
      JsonFormat.parser().usingTypeRegistry(TYPES).merge(each, resource);
      told.computeIfAbsent(resource.getTypeUrl(), type -> new ArrayList<>()).add(resource.build());
    }
    resources = told;
    version++;
    clients.forEach(Client::tellAll);
  }

  /** What clients found wrong with resources. */
  synchronized List<String> refusals() {
    return List.copyOf(refusals);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Discovery extends AggregatedDiscoveryServiceImplBase {
    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(
        StreamObserver<DiscoveryResponse> responses) {
      synchronized (ControlPlane.this) {
        ((ServerCallStreamObserver<DiscoveryResponse>) responses)
            .setOnCancelHandler(() -> {}); // or an answer to a client that has left would throw
        Client client = new Client(responses);
        clients.add(client);
        return client;
      }
    }
  }

  private final class Client implements StreamObserver<DiscoveryRequest> {
    private final StreamObserver<DiscoveryResponse> responses;
    private final Map<String, Set<String>> names = new HashMap<>(); // that it asks for, by type

    Client(StreamObserver<DiscoveryResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(DiscoveryRequest request) {
      synchronized (ControlPlane.this) {
        if (request.hasErrorDetail()) {
          refusals.add(request.getErrorDetail().getMessage());
        }
        Set<String> asked = Set.copyOf(request.getResourceNamesList());
        if (!asked.equals(names.put(request.getTypeUrl(), asked))) { // else it acknowledges
          tell(request.getTypeUrl());
        }
      }
    }

    void tellAll() {
      names.keySet().forEach(this::tell);
    }

    private void tell(String type) {
      String number = Integer.toString(version);
      responses.onNext(
          DiscoveryResponse.newBuilder()
              .setTypeUrl(type)
              .setVersionInfo(number)
              .setNonce(number)
              .addAllResources(resources.getOrDefault(type, List.of()))
              .build());
    }

    @Override
    public void onError(Throwable thrown) {
      leave();
    }

    @Override
    public void onCompleted() {
      leave();
      responses.onCompleted();
    }

    private void leave() {
      synchronized (ControlPlane.this) {
        clients.remove(this);
      }
    }
  }
}
