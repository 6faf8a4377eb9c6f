package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import io.grpc.BindableService;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Ends calls whose requests are too large or no messages. gRPC itself would end them as UNKNOWN or
 * CANCELLED, which tells the client nothing, and in process without telling the service, for which
 * they would be under way for ever.
 */
final class RequestGuard {
  private final int mostBytes;

  /**
   * @param mostBytes largest request; the transport must let somewhat larger ones pass
   */
  RequestGuard(int mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** A request, or what is wrong with it. */
  private record Received<Q>(Q message, GraftException problem) {}

  /** The service behind this guard. */
  ServerServiceDefinition guard(BindableService service) {
    ServerServiceDefinition original = service.bindService();
    List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();
    original.getMethods().forEach(method -> methods.add(guard(method)));
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(original.getServiceDescriptor().getName())
            .setSchemaDescriptor(original.getServiceDescriptor().getSchemaDescriptor());
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder definition =
        ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(definition::addMethod);
    return definition.build();
  }

  private <Q, R> ServerMethodDefinition<Received<Q>, R> guard(ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> descriptor = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        descriptor.toBuilder(requests(descriptor), descriptor.getResponseMarshaller()).build(),
        guard(method.getServerCallHandler()));
  }

  private <Q> MethodDescriptor.Marshaller<Received<Q>> requests(MethodDescriptor<Q, ?> method) {
    return new MethodDescriptor.Marshaller<>() {
      @Override
      public InputStream stream(Received<Q> value) {
        return method.streamRequest(value.message());
      }

      @Override
      public Received<Q> parse(InputStream stream) {
        try {
          if (stream instanceof KnownLength && stream.available() > mostBytes) {
            return new Received<>(null, tooLarge(stream.available()));
          }
          return new Received<>(method.parseRequest(stream), null);
        } catch (StatusRuntimeException e) {
          return new Received<>(null, unreadable(e));
        } catch (IOException e) {
          throw new UncheckedIOException(e); // the stream is in memory
        }
      }
    };
  }

  private GraftException tooLarge(int bytes) {
    return GraftException.of(
            GraftException.Category.RESOURCE_EXHAUSTED,
            "MESSAGE_TOO_LARGE",
            "A message has %d bytes, and %d are allowed: send fewer items in each, or smaller chunks."
                .formatted(bytes, mostBytes))
        .with("limit_bytes", mostBytes);
  }

  private static GraftException unreadable(StatusRuntimeException error) {
    return GraftException.invalidArgument(
            "PROTOCOL",
            "A request cannot be read: it is no message of this call, or a text in it is not UTF-8.")
        .causedBy(error);
  }

  private static <Q, R> ServerCallHandler<Received<Q>, R> guard(ServerCallHandler<Q, R> handler) {
    return (call, headers) -> new Listener<>(call, handler.startCall(withoutGuard(call), headers));
  }

  /** A handler only sends and ends with the call it gets; requests come by the listener. */
  @SuppressWarnings("unchecked")
  private static <Q, R> ServerCall<Q, R> withoutGuard(ServerCall<Received<Q>, R> call) {
    return (ServerCall<Q, R>) (ServerCall<?, R>) call;
  }

  private static final class Listener<Q> extends ServerCall.Listener<Received<Q>> {
    private final ServerCall<Received<Q>, ?> call;
    private final ServerCall.Listener<Q> service;
    private boolean over;

    Listener(ServerCall<Received<Q>, ?> call, ServerCall.Listener<Q> service) {
      this.call = call;
      this.service = service;
    }

    @Override
    public void onMessage(Received<Q> received) {
      if (over) {
        return;
      }
      if (received.problem() == null) {
        service.onMessage(received.message());
        return;
      }
      over = true;
      // First the service, which then sends no more.
      service.onCancel();
      StatusRuntimeException status = Statuses.of(received.problem());
      Metadata trailers = status.getTrailers();
      call.close(status.getStatus(), trailers == null ? new Metadata() : trailers);
    }

    @Override
    public void onHalfClose() {
      if (!over) {
        service.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      if (!over) {
        service.onCancel();
      }
    }

    @Override
    public void onComplete() {
      if (!over) {
        service.onComplete();
      }
    }

    @Override
    public void onReady() {
      if (!over) {
        service.onReady();
      }
    }
  }
}
