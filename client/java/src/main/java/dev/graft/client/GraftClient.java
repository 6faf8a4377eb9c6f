package dev.graft.client;

import static java.util.Objects.requireNonNull;

import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizeResult;
import dev.graft.v1.QuantizeServiceGrpc;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A connection to one worker. Safe for use by many threads; calls share it and run at the same
 * time.
 *
 * <p>Items are iterated once per call, no faster than the worker takes them, on a thread of the
 * client's; that thread is interrupted if the call ends before the items do. What the iterator
 * throws ends the call and is what the call then fails with.
 */
public final class GraftClient implements AutoCloseable {
  private static final Duration DESCRIBE_DEADLINE = Duration.ofSeconds(30);

  private final Channel channel;
  private final Optional<ManagedChannel> ownChannel;
  private final Optional<Duration> defaultDeadline;
  private final MessageSizes sizes;
  private final long maxAssembledBytes;
  private final StatusTranslation translation;
  private final ExecutorService itemThreads = itemThreads();
  private final OpenCalls<StreamingCall<?, ?, ?>> openCalls = new OpenCalls<>();
  private volatile boolean closed;

  private GraftClient(Builder builder) {
    sizes = new MessageSizes(builder.maxMessageBytes);
    maxAssembledBytes = builder.maxAssembledBytes;
    defaultDeadline = builder.defaultDeadline;
    if (builder.channel == null) {
      ManagedChannel own =
          Grpc.newChannelBuilder(builder.target, builder.credentials)
              .userAgent("graft-java")
              .build();
      channel = own;
      ownChannel = Optional.of(own);
    } else {
      channel = builder.channel;
      ownChannel = Optional.empty();
    }
    translation = new StatusTranslation(channel.authority());
  }

  /** Connects in plaintext, with all defaults; the first call opens the connection. */
  public static GraftClient connect(String target) {
    return builder(target).build();
  }

  /** Begins a client with a connection of its own, to {@code HOST:PORT} or any gRPC target. */
  public static Builder builder(String target) {
    return new Builder(requireNonNull(target), null);
  }

  /** Begins a client over a channel that stays the caller's to shut down. */
  public static Builder builder(Channel channel) {
    return new Builder(null, requireNonNull(channel));
  }

  /** Describes the worker as it is now. */
  public DescribeWorkerResponse describe() {
    requireOpen();
    try {
      return limited(
              WorkerServiceGrpc.newBlockingStub(channel),
              defaultDeadline.or(() -> Optional.of(DESCRIBE_DEADLINE)))
          .describeWorker(DescribeWorkerRequest.getDefaultInstance());
    } catch (StatusRuntimeException failed) {
      throw translation.translate(failed, Optional.empty());
    }
  }

  /**
   * Computes features, or predictions, of items; results come in any order. The worker gathers
   * items before it computes them; {@link Items#FLUSH} among them says that more may take a while.
   */
  public ExtractCall extract(ExtractJob job, Iterable<? extends Item> items) {
    BlockingEvents<ItemResult> results = new BlockingEvents<>();
    ExtractDecoder decoder = new ExtractDecoder(maxAssembledBytes, results::tellNews);
    openExtract(job, items, decoder, results);
    return new ExtractCall(results, decoder);
  }

  /**
   * The same for reactive code: each subscription is a call of its own, and the worker computes no
   * further ahead of the demand than the buffers on the way hold.
   */
  public Flow.Publisher<ItemResult> extractPublisher(
      ExtractJob job, Iterable<? extends Item> items) {
    return subscriber ->
        openExtract(
            job,
            items,
            new ExtractDecoder(maxAssembledBytes, () -> {}),
            requireNonNull(subscriber));
  }

  /** The same with all results at once, in the order of the items. Cancelling ends the call. */
  public CompletableFuture<ExtractResults> extractAsync(
      ExtractJob job, Iterable<? extends Item> items) {
    ItemOrder order = new ItemOrder();
    ExtractDecoder decoder = new ExtractDecoder(maxAssembledBytes, () -> {});
    CompletableFuture<ExtractResults> results = new CompletableFuture<>();
    FutureEvents<ItemResult, ExtractResults> events =
        new FutureEvents<>(
            results, order::add, () -> new ExtractResults(decoder.ready(), order.orderedResults()));
    openExtract(job, order.watch(items), decoder, events);
    return results;
  }

  /** Trains a projector. */
  public TrainingCall train(TrainJob job) {
    BlockingEvents<TrainEvent> events = new BlockingEvents<>();
    CheckpointRequests checkpoints = new CheckpointRequests(openCalls);
    openTrain(job, events, checkpoints);
    return new TrainingCall(events, checkpoints);
  }

  /** The same for reactive code: each subscription is a call of its own. */
  public TrainingPublisher trainPublisher(TrainJob job) {
    CheckpointRequests checkpoints = new CheckpointRequests(openCalls);
    return new TrainingPublisher(
        subscriber -> openTrain(job, requireNonNull(subscriber), checkpoints), checkpoints);
  }

  /** The same with the end of the training alone. Cancelling ends the call. */
  public TrainingFuture trainAsync(TrainJob job) {
    CheckpointRequests checkpoints = new CheckpointRequests(openCalls);
    TrainingFuture future = new TrainingFuture(checkpoints);
    openTrain(job, new FutureEvents<>(future, future::take, future::result), checkpoints);
    return future;
  }

  /**
   * Makes a quantized, or an unquantized, copy of a backbone. Where the request names no
   * destination, the copy's files come as {@link QuantizeEvent.FilePart}s.
   */
  public QuantizeCall quantize(QuantizeRequest request) {
    BlockingEvents<QuantizeEvent> events = new BlockingEvents<>();
    openQuantize(request, events);
    return new QuantizeCall(events);
  }

  /** The same for reactive code: each subscription is a call of its own. */
  public Flow.Publisher<QuantizeEvent> quantizePublisher(QuantizeRequest request) {
    return subscriber -> openQuantize(request, requireNonNull(subscriber));
  }

  /**
   * The same with the end of the call alone, for a request with a destination. Cancelling ends the
   * call.
   */
  public CompletableFuture<QuantizeResult> quantizeAsync(QuantizeRequest request) {
    if (request.getDestination().isEmpty()) {
      throw new IllegalArgumentException(
          "the request names no destination, and a future has no place for the files: name one, or"
              + " use quantize");
    }
    AtomicReference<QuantizeEvent> last = new AtomicReference<>();
    CompletableFuture<QuantizeResult> result = new CompletableFuture<>();
    openQuantize(
        request,
        new FutureEvents<>(
            result, last::set, () -> ((QuantizeEvent.Completed) last.get()).result()));
    return result;
  }

  /** Cancels the calls that run, and disconnects unless the channel was given. */
  @Override
  public void close() {
    closed = true;
    openCalls.forEach(
        call ->
            call.fail(
                new CallCancelledException(
                    Failure.found(
                        Status.Code.CANCELLED,
                        "CANCELLED_BY_CLIENT",
                        "the client was closed while the call ran"))));
    itemThreads.shutdownNow();
    ownChannel.ifPresent(ManagedChannel::shutdownNow);
  }

  private void openExtract(
      ExtractJob job,
      Iterable<? extends Item> items,
      ExtractDecoder decoder,
      Flow.Subscriber<? super ItemResult> results) {
    requireOpen();
    ExtractServiceGrpc.ExtractServiceStub stub =
        limited(ExtractServiceGrpc.newStub(channel), job.deadline());
    new StreamingCall<ExtractRequest, ExtractResponse, ItemResult>(
            ExtractRequests.afterSpec(job, items, sizes, decoder::countSent),
            RequestStream.SourceEnd.HALF_CLOSES,
            decoder,
            results,
            itemThreads,
            translation,
            openCalls)
        .start(stub::extract, ExtractRequests.spec(job));
  }

  private void openTrain(
      TrainJob job, Flow.Subscriber<? super TrainEvent> events, CheckpointRequests checkpoints) {
    requireOpen();
    TrainServiceGrpc.TrainServiceStub stub =
        limited(TrainServiceGrpc.newStub(channel), job.deadline());
    new StreamingCall<TrainRequest, TrainResponse, TrainEvent>(
            TrainRequests.afterSpec(job, sizes),
            RequestStream.SourceEnd.LEAVES_OPEN,
            new TrainDecoder(maxAssembledBytes),
            events,
            itemThreads,
            translation,
            checkpoints.calls())
        .start(stub::train, TrainRequests.spec(job));
  }

  private void openQuantize(
      QuantizeRequest request, Flow.Subscriber<? super QuantizeEvent> events) {
    requireOpen();
    QuantizeServiceGrpc.QuantizeServiceStub stub =
        limited(QuantizeServiceGrpc.newStub(channel), Optional.empty());
    StreamingCall<QuantizeRequest, QuantizeResponse, QuantizeEvent> call =
        new StreamingCall<>(
            Collections.emptyIterator(),
            RequestStream.SourceEnd.HALF_CLOSES,
            new QuantizeDecoder(),
            events,
            itemThreads,
            translation,
            openCalls);
    call.start(
        // Not stub.quantize, which would send the request itself.
        responses ->
            ClientCalls.asyncBidiStreamingCall(
                stub.getChannel()
                    .newCall(QuantizeServiceGrpc.getQuantizeMethod(), stub.getCallOptions()),
                responses),
        request);
    call.endRequests(); // gRPC sends a single request only with the end of all
  }

  private <S extends AbstractStub<S>> S limited(S stub, Optional<Duration> deadline) {
    S sized = stub.withMaxInboundMessageSize(sizes.maxBytes());
    return deadline
        .or(() -> defaultDeadline)
        .map(limit -> sized.withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS))
        .orElse(sized);
  }

  private static ExecutorService itemThreads() {
    AtomicInteger number = new AtomicInteger();
    return Executors.newCachedThreadPool(
        task -> {
          Thread thread = new Thread(task, "graft-items-" + number.incrementAndGet());
          thread.setDaemon(true);
          return thread;
        });
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the client is closed");
    }
  }

  /** Options of a client. */
  public static final class Builder {
    private final String target; // or null
    private final Channel channel; // or null
    private ChannelCredentials credentials = InsecureChannelCredentials.create();
    private Optional<Duration> defaultDeadline = Optional.empty();
    private int maxMessageBytes = 1 << 20;
    private long maxAssembledBytes = 1 << 30;

    private Builder(String target, Channel channel) {
      this.target = target;
      this.channel = channel;
    }

    /** TLS or other credentials of the client's own connection. Default: plaintext. */
    public Builder credentials(ChannelCredentials newCredentials) {
      if (target == null) {
        throw new IllegalStateException("the channel was given, and with it its credentials");
      }
      credentials = newCredentials;
      return this;
    }

    /** How long a call may take that says nothing itself. Default: no limit. */
    public Builder defaultDeadline(Duration newDefaultDeadline) {
      defaultDeadline = Optional.of(newDefaultDeadline);
      return this;
    }

    /**
     * Largest message in bytes, in both directions: the worker's {@code limits.max_message_bytes}.
     * Default: 1 MiB, which is also the workers' default.
     */
    public Builder maxMessageBytes(int newMaxMessageBytes) {
      maxMessageBytes = newMaxMessageBytes;
      return this;
    }

    /**
     * Largest file or result that is put together from parts, in bytes; a worker that sends more
     * breaks the call, not this process. At most 2^31 - 1. Default: 1 GiB.
     */
    public Builder maxAssembledBytes(int newMaxAssembledBytes) {
      maxAssembledBytes = newMaxAssembledBytes;
      return this;
    }

    /** Makes the client; its first call opens the connection. */
    public GraftClient build() {
      return new GraftClient(this);
    }
  }
}
