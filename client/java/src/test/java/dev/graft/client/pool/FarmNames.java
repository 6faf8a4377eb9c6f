package dev.graft.client.pool;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** A name service whose answer a test changes: {@code farm:///workers}. */
final class FarmNames extends NameResolverProvider implements AutoCloseable {
  static final String TARGET = "farm:///workers";

  private StatusOr<List<EquivalentAddressGroup>> answer; // null until a test sets it
  private NameResolver.Listener2 listener; // null until somebody asks

  static FarmNames register() {
    FarmNames names = new FarmNames();
    NameResolverRegistry.getDefaultRegistry().register(names);
    return names;
  }

  synchronized void set(FarmWorker... workers) {
    answer =
        StatusOr.fromValue(
            List.of(workers).stream()
                .map(FarmWorker::address)
                .map(EquivalentAddressGroup::new)
                .toList());
    tell();
  }

  /** There is no such name. */
  synchronized void fail(String why) {
    answer = StatusOr.fromStatus(Status.UNAVAILABLE.withDescription(why));
    tell();
  }

  private synchronized void tell() {
    if (listener != null && answer != null) {
      listener.onResult(
          NameResolver.ResolutionResult.newBuilder().setAddressesOrError(answer).build());
    }
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args arguments) {
    return target.getScheme().equals(getDefaultScheme()) ? new Resolver() : null;
  }

  @Override
  public String getDefaultScheme() {
    return "farm";
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
    return Set.of(InetSocketAddress.class);
  }

  @Override
  public void close() {
    NameResolverRegistry.getDefaultRegistry().deregister(this);
  }

  private final class Resolver extends NameResolver {
    @Override
    public String getServiceAuthority() {
      return "farm";
    }

    @Override
    public void start(Listener2 newListener) {
      synchronized (FarmNames.this) {
        listener = newListener;
      }
      tell();
    }

    @Override
    public void shutdown() {}
  }
}
