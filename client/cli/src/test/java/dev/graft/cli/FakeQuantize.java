package dev.graft.cli;

import com.google.protobuf.ByteString;
import dev.graft.v1.FileChunk;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizeResult;
import dev.graft.v1.QuantizeServiceGrpc;
import dev.graft.v1.QuantizedFile;
import dev.graft.v1.QuantizedTensor;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;

/**
 * Quantizes nothing: seven tensors, of which the later are the worse and the first is left as it
 * is. Without a destination two files come back, the first in two parts.
 */
final class FakeQuantize extends QuantizeServiceGrpc.QuantizeServiceImplBase {
  static final int TENSORS = 7;
  static final ByteString WEIGHTS = ByteString.copyFromUtf8("weights' bytes");
  static final ByteString CONFIG = ByteString.copyFromUtf8("{}");

  final List<QuantizeRequest> requests = Collections.synchronizedList(new ArrayList<>());

  /** A call waits for its cancellation in the middle of a file. */
  volatile boolean hangs;

  /** Which calls fail, in the middle of a file if one is sent. */
  volatile Predicate<QuantizeRequest> fails = request -> false;

  final CountDownLatch hanging = new CountDownLatch(1);
  final CountDownLatch cancelled = new CountDownLatch(1);

  @Override
  public void quantize(QuantizeRequest request, StreamObserver<QuantizeResponse> responses) {
    requests.add(request);
    for (int index = 0; index < TENSORS; index++) {
      responses.onNext(QuantizeResponse.newBuilder().setTensor(tensor(index)).build());
    }
    int half = WEIGHTS.size() / 2;
    boolean sends = request.getDestination().isEmpty();
    if (sends) {
      responses.onNext(part("model.safetensors", WEIGHTS, 0, half));
    }
    if (hangs) {
      Context.current().addListener(context -> cancelled.countDown(), Runnable::run);
      hanging.countDown();
      return;
    }
    if (fails.test(request)) {
      responses.onError(Status.UNAVAILABLE.withDescription("gone").asRuntimeException());
      return;
    }
    if (sends) {
      responses.onNext(part("model.safetensors", WEIGHTS, half, WEIGHTS.size()));
      responses.onNext(part("config.json", CONFIG, 0, CONFIG.size()));
    } else {
      write(Path.of(request.getDestination()));
    }
    responses.onNext(
        QuantizeResponse.newBuilder()
            .setResult(
                QuantizeResult.newBuilder()
                    .setSourceBytes(20_000_000)
                    .setResultBytes(5_000_000)
                    .setRelativeError(0.0625)
                    .setDigest("abc")
                    .setDestination(request.getDestination()))
            .build());
    responses.onCompleted();
  }

  private static void write(Path directory) {
    try {
      Files.createDirectory(directory);
      Files.write(directory.resolve("config.json"), CONFIG.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static QuantizedTensor tensor(int index) {
    return QuantizedTensor.newBuilder()
        .setName("layer." + index)
        .setIndex(index)
        .setTotal(TENSORS)
        .setSourceBytes(400)
        .setResultBytes(index == 0 ? 400 : 100)
        .setRelativeError(index / 64.0)
        .setMaxError(index / 4.0)
        .build();
  }

  private static QuantizeResponse part(String name, ByteString content, int from, int to) {
    return QuantizeResponse.newBuilder()
        .setFile(
            QuantizedFile.newBuilder()
                .setName(name)
                .setChunk(
                    FileChunk.newBuilder()
                        .setOffset(from)
                        .setTotalBytes(content.size())
                        .setData(content.substring(from, to))))
        .build();
  }
}
