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
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  static final NameResolver.Args.Key<ChannelWorkers> WORKERS =
      NameResolver.Args.Key.create("graft-workers");

  /**
   * The workers of a channel, as one of its balancers knows them. There are several for a while
   * when a control plane replaces one cluster by another: the first one's stays until its calls
   * have ended, and later it may come back. The one that did not get addresses the last time, when
   * others did, is the one that calls are led to now.
   */
  static final class ChannelWorkers {
    private final Target target;
    private final Membership membership;
    private volatile ManagedChannel channel;

    // Used in the channel's synchronization context only.
    private Optional<WorkerBalancer> leader = Optional.empty();
    private Set<WorkerBalancer> before = Set.of();
    private final Set<WorkerBalancer> now = new HashSet<>();
    private final Set<String> members = new HashSet<>();

    ChannelWorkers(Target target, Membership membership) {
      this.target = target;
      this.membership = membership;
    }

    /** Begins to resolve the target's name, and so to follow its workers. */
    void follow(ManagedChannel newChannel) {
      channel = newChannel;
      channel.getState(true);
    }

    private void tell() {
      if (!now.isEmpty()) {
        now.stream().filter(balancer -> !before.contains(balancer)).findAny().ifPresent(this::lead);
        before = Set.copyOf(now);
        now.clear();
      }
      Set<String> there = leader.map(balancer -> balancer.connections.keySet()).orElse(Set.of());
      leave(members.stream().filter(worker -> !there.contains(worker)).toList());
      for (String worker : there) {
        if (members.add(worker)) {
          membership.joined(worker, new WorkerChannel(worker, channel));
        }
      }
    }

    private void lead(WorkerBalancer balancer) {
      leave(List.copyOf(members)); // even those that stay: their health watches are calls
      leader = Optional.of(balancer);
    }

    private void leave(List<String> workers) {
      workers.forEach(membership::left);
      members.removeAll(workers);
    }
  }

  private final Helper helper;
  private final ChannelWorkers workers;
  private final Map<String, Connection> connections = new LinkedHashMap<>();

  private WorkerBalancer(Helper helper) {
    this.helper = helper;
    this.workers = helper.getNameResolverArgs().getArg(WORKERS);
  }

  static void register() {
    LoadBalancerRegistry registry = LoadBalancerRegistry.getDefaultRegistry();
    if (registry.getProvider(POLICY) == null) {
      registry.register(new Provider());
    }
  }

  @Override
  public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
    if (resolved.getAddresses().isEmpty()) { // so it is when a control plane knows no such listener
      Status unknown = Status.UNAVAILABLE.withDescription("it has no addresses");
      handleNameResolutionError(unknown);
      return unknown;
    }
    Map<String, List<EquivalentAddressGroup>> named = named(resolved.getAddresses());
    Set<String> gone = new HashSet<>(connections.keySet());
    gone.removeAll(named.keySet());
    gone.forEach(this::remove);
    named.forEach(
        (worker, addresses) -> {
          Connection known = connections.get(worker);
          if (known != null) {
            known.subchannel.updateAddresses(addresses);
          } else {
            add(worker, addresses);
          }
        });
    publish();
    workers.now.add(this);
    tellSoon();
    return Status.OK;
  }

  /** Not at once: calls to a worker fail until the balancers and routes above know of it too. */
  private void tellSoon() {
    helper.getSynchronizationContext().execute(workers::tell);
  }

  private Map<String, List<EquivalentAddressGroup>> named(List<EquivalentAddressGroup> groups) {
    if (workers.target.oneWorker()) {
      return Map.of(workers.target.name(), groups);
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
        workers.membership.unreachable(worker, description(state.getStatus()));
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
    workers.membership.unresolved(workers.target.name(), description(error));
  }

  /** As in "io exception: Connection refused: /127.0.0.1:1". */
  private static String description(Status status) {
    String cause = status.getCause() == null ? "" : ": " + status.getCause().getMessage();
    return status.getDescription() + cause;
  }

  @Override
  public void shutdown() {
    Set.copyOf(connections.keySet()).forEach(this::remove);
    tellSoon();
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
