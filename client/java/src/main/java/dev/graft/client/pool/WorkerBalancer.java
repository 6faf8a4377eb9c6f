package dev.graft.client.pool;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolver;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A gRPC load balancing policy that keeps a connection to every worker and lets each call say which
 * one it is for. Whatever resolves names (a list, DNS, xDS) thus works here as it does everywhere
 * in gRPC, and so do connection backoff and address changes.
 */
final class WorkerBalancer extends LoadBalancer {
  /** Name of the policy, also for service configurations and xDS. */
  static final String POLICY = "graft_workers";

  static final NameResolver.Args.Key<Membership> MEMBERSHIP =
      NameResolver.Args.Key.create("graft-membership");
  static final NameResolver.Args.Key<Target> TARGET = NameResolver.Args.Key.create("graft-target");

  /** Set once the channel exists, before anything is resolved. */
  static final NameResolver.Args.Key<ChannelHolder> CHANNEL =
      NameResolver.Args.Key.create("graft-channel");

  /** The channel that the balancer works for, which exists only after what is given to it. */
  static final class ChannelHolder {
    volatile ManagedChannel channel;
  }

  private final Helper helper;
  private final Membership membership;
  private final Target target;
  private final ChannelHolder holder;
  private final Map<String, Connection> connections = new LinkedHashMap<>();

  private WorkerBalancer(Helper helper) {
    NameResolver.Args arguments = helper.getNameResolverArgs();
    this.helper = helper;
    this.membership = arguments.getArg(MEMBERSHIP);
    this.target = arguments.getArg(TARGET);
    this.holder = arguments.getArg(CHANNEL);
  }

  static void register() {
    LoadBalancerRegistry registry = LoadBalancerRegistry.getDefaultRegistry();
    if (registry.getProvider(POLICY) == null) {
      registry.register(new Provider());
    }
  }

  @Override
  public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
    Map<String, List<EquivalentAddressGroup>> workers = workers(resolved.getAddresses());
    Set<String> gone = new HashSet<>(connections.keySet());
    gone.removeAll(workers.keySet());
    gone.forEach(this::remove);
    Set<String> added = new LinkedHashSet<>(workers.keySet());
    added.removeAll(connections.keySet());
    workers.forEach(
        (worker, addresses) -> {
          Connection known = connections.get(worker);
          if (known != null) {
            known.subchannel.updateAddresses(addresses);
          } else {
            add(worker, addresses);
          }
        });
    publish();
    // Not before: calls to a worker that is not published fail.
    added.forEach(worker -> membership.joined(worker, new WorkerChannel(worker, holder.channel)));
    return Status.OK;
  }

  private Map<String, List<EquivalentAddressGroup>> workers(List<EquivalentAddressGroup> groups) {
    if (target.oneWorker()) {
      return Map.of(target.name(), groups);
    }
    return groups.stream()
        .collect(
            Collectors.groupingBy(WorkerBalancer::name, LinkedHashMap::new, Collectors.toList()));
  }

  private static String name(EquivalentAddressGroup group) {
    SocketAddress first = group.getAddresses().get(0);
    if (first instanceof InetSocketAddress address && !address.isUnresolved()) {
      String host = address.getAddress().getHostAddress();
      return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }
    return first.toString();
  }

  private void add(String worker, List<EquivalentAddressGroup> addresses) {
    Subchannel subchannel =
        helper.createSubchannel(
            CreateSubchannelArgs.newBuilder()
                .setAddresses(addresses)
                .setAttributes(Attributes.EMPTY)
                .build());
    Connection connection = new Connection(subchannel);
    connections.put(worker, connection);
    subchannel.start(state -> moved(worker, connection, state));
    subchannel.requestConnection();
  }

  private void remove(String worker) {
    connections.remove(worker).subchannel.shutdown();
    membership.left(worker);
  }

  private void moved(String worker, Connection connection, ConnectivityStateInfo state) {
    if (connections.get(worker) != connection) {
      return; // it left
    }
    connection.state = state;
    switch (state.getState()) {
      case IDLE -> {
        helper.refreshNameResolution();
        connection.subchannel.requestConnection();
      }
      case TRANSIENT_FAILURE -> {
        helper.refreshNameResolution();
        membership.unreachable(worker, description(state.getStatus()));
      }
      case CONNECTING, READY, SHUTDOWN -> {}
    }
    publish();
  }

  /**
   * Makes known to calls what is connected. The channel itself is always ready: workers are not.
   */
  private void publish() {
    Map<String, PickResult> picks = new HashMap<>();
    connections.forEach((worker, connection) -> picks.put(worker, connection.pick()));
    helper.updateBalancingState(ConnectivityState.READY, new Picker(picks));
  }

  @Override
  public void handleNameResolutionError(Status error) {
    membership.unresolved(target.name(), description(error));
  }

  /** As in "io exception: Connection refused: /127.0.0.1:1". */
  private static String description(Status status) {
    String cause = status.getCause() == null ? "" : ": " + status.getCause().getMessage();
    return status.getDescription() + cause;
  }

  @Override
  public void shutdown() {
    Set.copyOf(connections.keySet()).forEach(this::remove);
  }

  private static final class Connection {
    private final Subchannel subchannel;
    private ConnectivityStateInfo state =
        ConnectivityStateInfo.forNonError(ConnectivityState.CONNECTING);

    Connection(Subchannel subchannel) {
      this.subchannel = subchannel;
    }

    PickResult pick() {
      return switch (state.getState()) {
        case READY -> PickResult.withSubchannel(subchannel);
        case TRANSIENT_FAILURE -> PickResult.withError(state.getStatus());
        case IDLE, CONNECTING, SHUTDOWN -> PickResult.withNoResult();
      };
    }
  }

  private static final class Picker extends SubchannelPicker {
    private static final PickResult LEFT =
        PickResult.withDrop(Status.UNAVAILABLE.withDescription("the worker left"));

    private final Map<String, PickResult> picks;

    Picker(Map<String, PickResult> picks) {
      this.picks = picks;
    }

    @Override
    public PickResult pickSubchannel(PickSubchannelArgs call) {
      return picks.getOrDefault(call.getCallOptions().getOption(Membership.WORKER), LEFT);
    }
  }

  /** The channel as one worker's. */
  private static final class WorkerChannel extends Channel {
    private final String worker;
    private final Channel channel;

    WorkerChannel(String worker, Channel channel) {
      this.worker = worker;
      this.channel = channel;
    }

    @Override
    public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
      return channel.newCall(method, options.withOption(Membership.WORKER, worker));
    }

    @Override
    public String authority() {
      return worker;
    }
  }

  private static final class Provider extends LoadBalancerProvider {
    @Override
    public boolean isAvailable() {
      return true;
    }

    @Override
    public int getPriority() {
      return 5;
    }

    @Override
    public String getPolicyName() {
      return POLICY;
    }

    @Override
    public LoadBalancer newLoadBalancer(Helper helper) {
      return new WorkerBalancer(helper);
    }
  }
}
