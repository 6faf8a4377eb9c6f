package dev.graft.server.rpc;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests that are no messages. gRPC would end their call as UNKNOWN without telling the service,
 * which would count it as under way for ever where the transport does not tell either; here they
 * arrive as null, and the service says what is wrong.
 */
final class Unreadable {
  private Unreadable() {}

  /** The service, which gets null for a request that cannot be parsed. */
  static ServerServiceDefinition asNull(BindableService service) {
    ServerServiceDefinition original = service.bindService();
    List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();
    original.getMethods().forEach(method -> methods.add(asNull(method)));
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(original.getServiceDescriptor().getName())
            .setSchemaDescriptor(original.getServiceDescriptor().getSchemaDescriptor());
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder definition =
        ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(definition::addMethod);
    return definition.build();
  }

  private static <Q, R> ServerMethodDefinition<Q, R> asNull(ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> descriptor = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        descriptor.toBuilder().setRequestMarshaller(asNull(descriptor)).build(),
        method.getServerCallHandler());
  }

  private static <Q> MethodDescriptor.Marshaller<Q> asNull(MethodDescriptor<Q, ?> method) {
    MethodDescriptor.Marshaller<Q> original = method.getRequestMarshaller();
    return new MethodDescriptor.Marshaller<>() {
      @Override
      public InputStream stream(Q value) {
        return original.stream(value);
      }

      @Override
      public Q parse(InputStream stream) {
        try {
          return original.parse(stream);
        } catch (StatusRuntimeException e) {
          return null;
        }
      }
    };
  }
}
