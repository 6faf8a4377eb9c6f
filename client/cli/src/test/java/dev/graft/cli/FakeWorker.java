package dev.graft.cli;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import dev.graft.client.Tensors;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Checkpoint;
import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Evaluation;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.LogEntry;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.ParameterInfo;
import dev.graft.v1.Pooling;
import dev.graft.v1.ResultBatch;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingProgress;
import dev.graft.v1.TrainingStarted;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;

/**
 * A worker over a real socket that computes nothing: the feature of a text is [its length, its
 * number], and training is three steps that are known in advance.
 */
final class FakeWorker implements EmbeddedWorker {
  static final String DIGEST = "d1";
  static final ByteString PROJECTOR = ByteString.copyFromUtf8("the projector's file");

  /** An item with this text is refused. */
  static final String BAD_TEXT = "bad";

  /** Texts longer than this are cut. */
  static final int MAX_TOKENS = 8;

  /** What goes wrong: a Train call fails after its checkpoint. */
  volatile boolean failsAfterCheckpoint;

  /** How many workers that share this die when their Train call has sent its checkpoint. */
  volatile AtomicInteger deathsAfterCheckpoint = new AtomicInteger();

  /** A Train call waits for its cancellation after its checkpoint. */
  volatile boolean hangsAfterCheckpoint;

  /** It dies when it gets items to extract, before it answers. */
  volatile boolean diesOfItems;

  /** Items are answered when this is done. */
  volatile CompletableFuture<Void> mayAnswer = CompletableFuture.completedFuture(null);

  /** Done when it got items to extract. */
  final CompletableFuture<Void> gotItems = new CompletableFuture<>();

  volatile String version = "fake";
  volatile String digest = DIGEST;

  /** What a backbone, by its path, makes of the usual feature. */
  volatile BiFunction<String, float[], float[]> features = (path, usual) -> usual;

  volatile WorkerOptions options;
  volatile ExtractSpec extractSpec;
  volatile TrainSpec trainSpec;
  final List<Item> trainItems = Collections.synchronizedList(new ArrayList<>());
  final List<Item> evalItems = Collections.synchronizedList(new ArrayList<>());
  final FakeQuantize quantize = new FakeQuantize();
  final CountDownLatch hanging = new CountDownLatch(1);
  final CountDownLatch cancelled = new CountDownLatch(1);
  private final HealthStatusManager health = new HealthStatusManager();
  private Server server;
  private int port;

  /** Starts it on a free port. */
  FakeWorker start() throws IOException {
    start(new WorkerOptions().listen("127.0.0.1", 0));
    return this;
  }

  /** Starts it as an own worker of a command. */
  EmbeddedWorker start(WorkerOptions newOptions) throws IOException {
    options = newOptions;
    server =
        Grpc.newServerBuilderForPort(newOptions.port(), InsecureServerCredentials.create())
            .addService(new Extract())
            .addService(new Train())
            .addService(quantize)
            .addService(new Describe())
            .addService(health.getHealthService())
            .build()
            .start();
    port = server.getPort();
    return this;
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }

  @Override
  public void drain() {
    server.shutdown();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  boolean isStopped() {
    return server.isShutdown();
  }

  private final class Describe extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public void describeWorker(
        DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
      responses.onNext(
          DescribeWorkerResponse.newBuilder()
              .setVersion(version)
              .addSupportedArchitectures("bert")
              .build());
      responses.onCompleted();
    }
  }

  private final class Extract extends ExtractServiceGrpc.ExtractServiceImplBase {
    @Override
    public StreamObserver<ExtractRequest> extract(StreamObserver<ExtractResponse> responses) {
      return new StreamObserver<>() {
        private boolean refused;

        @Override
        public void onNext(ExtractRequest request) {
          if (request.hasSpec()) {
            extractSpec = request.getSpec();
            responses.onNext(ExtractResponse.newBuilder().setReady(ready()).build());
          } else if (request.hasItems()) {
            gotItems.complete(null);
            if (diesOfItems) {
              close();
              return;
            }
            mayAnswer.join();
            for (Item item : request.getItems().getItemsList()) {
              if (item.getContent().getText().equals(BAD_TEXT)) {
                refused = true;
                responses.onError(complaint(item));
                return;
              }
            }
            List<Item> backwards = new ArrayList<>(request.getItems().getItemsList());
            Collections.reverse(backwards);
            ResultBatch.Builder results = ResultBatch.newBuilder();
            backwards.forEach(item -> results.addResults(result(item)));
            responses.onNext(ExtractResponse.newBuilder().setResults(results).build());
          }
        }

        @Override
        public void onError(Throwable thrown) {
          cancelled.countDown();
        }

        @Override
        public void onCompleted() {
          if (!refused) {
            responses.onCompleted();
          }
        }
      };
    }

    private StatusRuntimeException complaint(Item item) {
      ErrorInfo info =
          ErrorInfo.newBuilder()
              .setReason("TOKEN_OUT_OF_RANGE")
              .setDomain("graft.dev")
              .putMetadata("item", Long.toString(item.getNumber()))
              .build();
      return StatusProto.toStatusRuntimeException(
          com.google.rpc.Status.newBuilder()
              .setCode(Status.Code.INVALID_ARGUMENT.value())
              .setMessage("Item " + item.getNumber() + " is bad.")
              .addDetails(Any.pack(info))
              .build());
    }

    private ExtractReady ready() {
      ExtractReady.Builder ready =
          ExtractReady.newBuilder()
              .setFeatures(extractSpec.getFeatures())
              .setFeatureSize(2)
              .setPredictionSize(extractSpec.hasProjector() ? 2 : 0)
              .setBackboneDigest(digest);
      ready.getFeaturesBuilder().setMaxTokens(MAX_TOKENS);
      return ready.build();
    }

    private ItemResult result(Item item) {
      int length = item.getContent().getText().length();
      int tokens = Math.min(length, MAX_TOKENS);
      ItemResult.Builder result =
          ItemResult.newBuilder()
              .setNumber(item.getNumber())
              .setTokens(tokens)
              .setTruncatedTokens(length - tokens);
      if (extractSpec.hasProjector()) {
        float[] scores = length % 2 == 0 ? new float[] {0.75f, 0.25f} : new float[] {0.25f, 0.75f};
        return result
            .setLogits(Tensors.fromFloats(scores, 2))
            .setProbabilities(Tensors.fromFloats(scores, 2))
            .build();
      }
      if (extractSpec.getFeatures().getPooling() == Pooling.POOLING_NONE) {
        float[] rows = new float[2 * tokens];
        Arrays.fill(rows, (float) item.getNumber());
        return result.setFeatures(Tensors.fromFloats(rows, tokens, 2)).build();
      }
      float[] feature =
          features.apply(
              extractSpec.getFeatures().getBackbone().getPath(),
              new float[] {length, item.getNumber()});
      return result.setFeatures(Tensors.fromFloats(feature, 2)).build();
    }
  }

  private final class Train extends TrainServiceGrpc.TrainServiceImplBase {
    @Override
    public StreamObserver<TrainRequest> train(StreamObserver<TrainResponse> responses) {
      AtomicBoolean dies = new AtomicBoolean();
      // To stop at once would lose what was sent.
      ((ServerCallStreamObserver<TrainResponse>) responses)
          .setOnCloseHandler(
              () -> {
                if (dies.get()) {
                  close();
                }
              });
      return new StreamObserver<>() {
        @Override
        public void onNext(TrainRequest request) {
          switch (request.getMessageCase()) {
            case SPEC -> {
              trainSpec = request.getSpec();
              responses.onNext(TrainResponse.newBuilder().setReady(trainReady()).build());
            }
            case TRAIN_ITEMS -> trainItems.addAll(request.getTrainItems().getItemsList());
            case EVAL_ITEMS -> evalItems.addAll(request.getEvalItems().getItemsList());
            case END_OF_DATA -> {
              dies.set(!trainItems.isEmpty() && takesDeath());
              play(responses, dies.get());
            }
            case INITIAL_PROJECTOR_FILE, CHECKPOINT_FILE, CHECKPOINT_REQUEST, MESSAGE_NOT_SET -> {}
          }
        }

        @Override
        public void onError(Throwable thrown) {
          cancelled.countDown();
        }

        @Override
        public void onCompleted() {}
      };
    }

    private boolean takesDeath() {
      return deathsAfterCheckpoint.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    }

    private TrainReady trainReady() {
      return TrainReady.newBuilder().setSpec(trainSpec).setAudit(audit()).build();
    }

    private ParameterAudit audit() {
      ParameterAudit.Builder audit =
          ParameterAudit.newBuilder()
              .addTrainable(ParameterInfo.newBuilder().setName("weight").addShape(2).addShape(2))
              .setTrainableParameters(4);
      if (trainSpec.getFeatures().hasBackbone()) {
        audit.setFrozenParameters(100).setFrozenDigest(DIGEST);
      }
      return audit.build();
    }

    private void play(StreamObserver<TrainResponse> responses, boolean dies) {
      long first = trainSpec.getCheckpointBytes() > 0 ? 2 : 0;
      responses.onNext(
          TrainResponse.newBuilder()
              .setStarted(
                  TrainingStarted.newBuilder()
                      .setTrainItems(trainItems.size())
                      .setEvalItems(evalItems.size())
                      .setTotalSteps(3)
                      .setFirstStep(first))
              .build());
      for (long step = first + 1; step <= 3; step++) {
        responses.onNext(
            TrainResponse.newBuilder()
                .setTraining(
                    TrainingProgress.newBuilder()
                        .setStep(step)
                        .setEpoch((double) step)
                        .setLoss(0.25))
                .build());
        responses.onNext(
            TrainResponse.newBuilder()
                .setLog(
                    LogEntry.newBuilder()
                        .setStep(step)
                        .setEpoch((double) step)
                        .setLoss(1.0 / step)
                        .setGradNorm(0.5)
                        .setLearningRate(1e-3))
                .build());
        responses.onNext(
            TrainResponse.newBuilder()
                .setEvaluation(
                    Evaluation.newBuilder()
                        .setStep(step)
                        .setEpoch((double) step)
                        .putMetrics("eval_loss", 1.5 / step)
                        .putMetrics("eval_accuracy", step / 4.0))
                .build());
        if (step == 2) {
          responses.onNext(
              TrainResponse.newBuilder()
                  .setCheckpoint(
                      Checkpoint.newBuilder()
                          .setStep(2)
                          .setChunk(chunk(ByteString.copyFromUtf8("checkpoint"))))
                  .build());
          if (failsAfterCheckpoint) {
            responses.onError(
                Status.ABORTED.withDescription("the loss became NaN").asRuntimeException());
            return;
          }
          if (dies) {
            responses.onError(Status.UNAVAILABLE.withDescription("it dies").asRuntimeException());
            return;
          }
          if (hangsAfterCheckpoint) {
            hanging.countDown();
            return;
          }
        }
      }
      responses.onNext(TrainResponse.newBuilder().setProjectorFile(chunk(PROJECTOR)).build());
      responses.onNext(
          TrainResponse.newBuilder()
              .setResult(
                  TrainResult.newBuilder()
                      .setStep(3)
                      .setEpoch(3)
                      .setTrainLoss(0.5)
                      .setTrainRuntimeSeconds(2)
                      .setAudit(audit())
                      .setBestStep(3)
                      .setProjectorSha256(sha256(PROJECTOR)))
              .build());
      responses.onCompleted();
    }

    private static FileChunk chunk(ByteString data) {
      return FileChunk.newBuilder().setTotalBytes(data.size()).setData(data).build();
    }
  }

  private static String sha256(ByteString content) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(content.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
